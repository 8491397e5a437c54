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

-- A share of ``whole`` in whole rounding steps.
create or replace temp macro rounded(share, whole, mode) as
    share // whole + case
        when mode = 'half_up' and share % whole * 2 >= whole then 1
        when mode = 'up' and share % whole > 0 then 1
        when mode = 'half_even' and share % whole * 2 > whole then 1
        when mode = 'half_even' and share % whole * 2 = whole and share // whole % 2 = 1 then 1
        else 0
    end;

-- Whether rounding steps of ``quantum`` come to more than the column for amounts can hold.
create or replace temp macro too_large(steps, quantum) as steps * (quantum // 100) >= 100000000000000000000;

-- The amount of a record, from 1e-10 of the currency.
create or replace temp macro charged(rating_status, amount_e10) as
    case rating_status
        when 'rated' then (amount_e10::decimal(20, 0) * 0.0000000001::decimal(10, 10))::decimal(20, 10)
        when 'not_billable' then 0::decimal(20, 10)
    end;

create or replace temp macro seconds(ms) as (ms::decimal(15, 0) * 0.001::decimal(3, 3))::decimal(18, 3);

create or replace temp macro item_type_of(family, number) as
    case
        when family <> 'pstn' then 'bridge'
        when strlen(number) = 11 and left(number, 4) in ('1800', '1833', '1844', '1855', '1866', '1877', '1888')
            then 'toll_free'
        else 'toll'
    end;
