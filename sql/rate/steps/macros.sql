-- The small functions of rating that need no tables. country_of, a number's country, is the domain's own.
--
-- Grain:  one value per call of a function.
-- Reads:  nothing but what it is given

-- The digits of a number as given, or null where there is anything but digits and + ( ) . - and blanks.
create or replace temp macro digits(given) as
    case
        when try_cast(given as ubigint)::varchar = given then given
        when translate(given, '+ ().-', '') <> '' and ltrim(translate(given, '+ ().-', ''), '0123456789') = ''
            then translate(given, '+ ().-', '')
    end;

-- An integer as wide as money may need.
create or replace temp macro whole(number) as number::hugeint;

-- The first digits of a number, which say where it is; null where it is nobody's number.
create or replace temp macro head_of(bare) as
    case when strlen(bare) > 6 and (left(bare, 1) <> '1' or strlen(bare) = 11) then left(bare, 7) end;

-- The jurisdiction of a call between two places.
create or replace temp macro jurisdiction_between(src_region, src_exchange, dst_region, dst_exchange) as
    case
        when src_region is null or dst_region is null then 'indeterminate'
        when src_region = dst_region and left(src_region, 3) <> 'US-' then 'indeterminate'
        when src_region = dst_region then if(src_exchange = dst_exchange, 'local', 'intrastate')
        when left(src_region, 3) = 'US-' and left(dst_region, 3) = 'US-' then 'interstate'
        else 'international'
    end;
