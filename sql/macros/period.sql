-- purpose: period(name): a day, month, quarter or year as its first instant and the first one after it;
--          in_period(instant, name): whether an instant lies in it
-- grain:   one value per call; of period() a struct of starts and ends
-- reads:   what it is given
-- `where in_period(date_stop, '2026-03')`. Names are 2026, 2026-Q1,
-- 2026-03 and 2026-03-31; they are local time in `zone`, which is UTC unless said: period('2026-03', zone := 'Europe/Berlin').
create or replace macro period(name, zone := 'UTC') as
    case
        when regexp_full_match(name, '[0-9]{4}') then {
            'starts': timezone(zone, make_timestamp(name[1:4]::bigint, 1, 1, 0, 0, 0)),
            'ends': timezone(zone, make_timestamp(name[1:4]::bigint + 1, 1, 1, 0, 0, 0))
        }
        when regexp_full_match(name, '[0-9]{4}-Q[1-4]') then {
            'starts': timezone(zone, make_timestamp(name[1:4]::bigint, name[7:7]::bigint * 3 - 2, 1, 0, 0, 0)),
            'ends': timezone(
                zone,
                make_timestamp(name[1:4]::bigint, name[7:7]::bigint * 3 - 2, 1, 0, 0, 0) + interval 3 months
            )
        }
        when regexp_full_match(name, '[0-9]{4}-[0-9]{2}') then {
            'starts': timezone(zone, make_timestamp(name[1:4]::bigint, name[6:7]::bigint, 1, 0, 0, 0)),
            'ends': timezone(
                zone, make_timestamp(name[1:4]::bigint, name[6:7]::bigint, 1, 0, 0, 0) + interval 1 month
            )
        }
        when regexp_full_match(name, '[0-9]{4}-[0-9]{2}-[0-9]{2}') then {
            'starts': timezone(zone, name::timestamp),
            'ends': timezone(zone, name::timestamp + interval 1 day)
        }
        else error('no period: ' || name || '. Write 2026, 2026-Q1, 2026-03 or 2026-03-31.')
    end;

create or replace macro in_period(instant, name, zone := 'UTC') as
    instant >= period(name, zone := zone).starts and instant < period(name, zone := zone).ends;
