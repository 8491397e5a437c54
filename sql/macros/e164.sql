-- purpose: e164(number): a number as E.164 writes it, `+` and its digits; null for what is no such number
-- grain:   one value per call
-- reads:   what it is given
-- `e164('011 44 20 7946 0958')` is `+442079460958`. A number without `+`, `00` or `011` is taken as it stands on
-- records, country code included; `e164('(415) 555-0100', code := '1')` puts a code before such a number.
create or replace macro e164_digits(bare) as
    case when regexp_full_match(bare, '[1-9][0-9]{6,14}') then '+' || bare end;

create or replace macro e164(number, code := '') as
    case
        when not regexp_full_match(number, '[+]?[0-9 ().-]+') then null
        when starts_with(trim(number), '+') then e164_digits(regexp_replace(number, '[^0-9]', '', 'g'))
        when regexp_matches(number, '^[ (]*(00|011)') then
            e164_digits(regexp_replace(regexp_replace(number, '[^0-9]', '', 'g'), '^(00|011)', ''))
        else e164_digits(code || regexp_replace(number, '[^0-9]', '', 'g'))
    end;
