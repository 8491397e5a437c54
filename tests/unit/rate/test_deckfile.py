"""A deck is taken whole or refused whole, and a refusal names every line."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.domain.rate_plan import Rate
from pipeline.errors import DeckError
from pipeline.rate.deck.file import COLUMNS, DeckOptions, read_deck
from pipeline.rate.deck.windows import windows_said

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def read(tmp_path, text: str | bytes, **options):
    path = tmp_path / "deck.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_deck(path, DeckOptions("retail", SINCE, **options))


def problems(tmp_path, text: str | bytes, **options) -> tuple[str, ...]:
    with pytest.raises(DeckError) as refused:
        read(tmp_path, text, **options)
    return refused.value.problems


def test_the_providers_own_columns_are_enough(tmp_path):
    plan = read(
        tmp_path,
        "prefix,country_code,country_name,billing_increment,billing_minimum,price\n"
        "1207,USA,United States,6,30,0.0100\n"
        ',,"Rest, of the world",60,60,0.5\n',
    )

    assert plan.rates == (
        Rate(Decimal("0.01"), "1207", "USA", increment=Decimal(6), minimum=Decimal(30)),
        Rate(Decimal("0.5"), increment=Decimal(60), minimum=Decimal(60)),
    )
    assert (plan.service, plan.currency, plan.unit_rule, plan.increment_rule) == (
        "call",
        "USD",
        "fixed:60",
        "after_minimum",
    )
    assert plan.version.startswith("20260101-")


def test_every_other_column(tmp_path):
    plan = read(
        tmp_path,
        "prefix,price,unit_seconds,connect_fee,grace_seconds,effective_date,end_date,status,increment_rule,"
        "rounding_mode,rounding_decimals,service,direction,currency\n"
        "44,0.02,1,0.1,2.5,2026-03-01,2026-04-01T12:00:00+02:00,Blocked,total,up,4,call,outbound,EUR\n",
    )

    assert plan.rates == (
        Rate(
            Decimal("0.02"),
            "44",
            grace=Decimal("2.5"),
            unit=Decimal(1),
            connect_fee=Decimal("0.1"),
            effective_from=datetime(2026, 3, 1, tzinfo=UTC),
            effective_to=datetime(2026, 4, 1, 10, tzinfo=UTC),
            blocked=True,
        ),
    )
    terms = (plan.increment_rule, plan.rounding_mode, plan.rounding_decimals, plan.direction, plan.currency)
    assert terms == ("total", "up", 4, "outbound", "EUR")


def test_messages(tmp_path):
    plan = read(
        tmp_path, "mcc,mnc,country_code,price\n262,01,DEU,0.08\n,,DEU,0.1\n,,,0.2\n", service="message"
    )

    assert plan.rates == (
        Rate(Decimal("0.08"), mcc=262, mnc=1, country_code="DEU"),
        Rate(Decimal("0.1"), country_code="DEU"),
        Rate(Decimal("0.2")),
    )


def test_an_increment_of_zero_or_none_is_one_second(tmp_path):
    plan = read(tmp_path, "prefix,billing_increment,price\n1,0,1\n2,,1\n")

    assert [r.increment for r in plan.rates] == [Decimal(1), Decimal(1)]


def test_no_price_is_blocked(tmp_path):
    assert [r.priced for r in read(tmp_path, "prefix,price\n1,\n2,0\n").rates] == [False, True]


def test_a_price_per_minimum(tmp_path):
    text = "prefix,billing_minimum,price\n1,6,0.001\n2,0,0.001\n"

    assert problems(tmp_path, text, unit_rule="minimum") == (
        "line 3: the price is per billing_minimum, and that is 0",
    )
    assert [r.unit for r in read(tmp_path, text.replace("2,0", "2,30"), unit_rule="minimum").rates] == [6, 30]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("44x,0.02", "prefix '44x' is not digits only"),
        ("44 20,0.02", "prefix '44 20' is not digits only"),
        (
            "44.0,0.02",
            "prefix '44.0' was turned into a number by a spreadsheet: format the column as text and export it again",
        ),
        (
            "030,0.02",
            "prefix '030' begins with 0 as no country code does: write prefixes with their country code",
        ),
        (
            "1205-1201,0.02",
            "prefix '1205-1201' is no range: 1205 and 1201 must have as many digits, the smaller first",
        ),
        (
            "1200000-1299999999,0.02",
            "prefix '1200000-1299999999' is no range: 1200000 and 1299999999 must have as many digits, the "
            "smaller first",
        ),
        (
            "1000001-1009998,0.02",
            "prefix '1000001-1009998' is a range of 9,998 prefixes, more than 1,000: split it where it is shorter",
        ),
        (
            "4.42E+11,0.02",
            "prefix '4.42E+11' was rewritten by a spreadsheet: format the column as text and export it again",
        ),
        (
            "44,1E-05",
            "price '1E-05' was rewritten by a spreadsheet: format the column as text and export it again",
        ),
        ("44,-0.02", "price '-0.02' is no amount below 10000 with up to 12 decimals"),
        ("44,0.1234567890123", "price '0.1234567890123' is no amount below 10000 with up to 12 decimals"),
        ("44,NaN", "price 'NaN' is no amount below 10000 with up to 12 decimals"),
        (
            '44,"1,234"',
            "price '1,234' can be read in two ways: write decimals with a point alone, or with a comma alone and "
            "say --decimal ,",
        ),
        ("44,\u20ac0.02", "price '\u20ac0.02' is not in USD: say --currency, or correct the sign"),
        ("44,0.02 EUR", "price '0.02 EUR' is not in USD: say --currency, or correct the sign"),
        ("44,#N/A", "price '#N/A' is no amount below 10000 with up to 12 decimals"),
        ("44,10000", "price '10000' is no amount below 10000 with up to 12 decimals"),
    ],
    ids=lambda value: value[:24],
)
def test_wrong_prefixes_and_prices(tmp_path, row, problem):
    assert problems(tmp_path, f"prefix,price\n1,0.01\n{row}\n") == (f"line 3: {problem}",)


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        (
            "country_code",
            "ZZ",
            "is no three-letter code such as DEU; correct it, or leave the column out with --ignore",
        ),
        ("billing_increment", "-6", "is no number of seconds up to 86400 with up to 3 decimals"),
        ("billing_minimum", "1.0001", "is no number of seconds up to 86400 with up to 3 decimals"),
        ("grace_seconds", "86401", "is no number of seconds up to 86400 with up to 3 decimals"),
        ("unit_seconds", "0", "is not above 0"),
        (
            "effective_date",
            "01.03.2026",
            "is no ISO date such as 2026-03-01; say how dates are written with --date-format, for example DD/MM/YYYY",
        ),
        ("status", "on", "is neither active nor blocked nor deleted"),
        ("connect_fee", "free", "is no amount below 10000 with up to 12 decimals"),
        ("origin_prefix", "4x9", "is not digits only"),
        ("jurisdiction", "abroad", "is none of interstate, intrastate, local, international, indeterminate"),
        ("window", "peak", "is no window of the plan; they are none"),
        ("steps", "60:-1", "holds a price that is no amount below 10000 with up to 12 decimals"),
        ("billing_increment", "60/6/6", "is no number of seconds up to 86400 with up to 3 decimals"),
    ],
)
def test_wrong_fields(tmp_path, column, value, problem):
    found = problems(tmp_path, f"prefix,price,{column}\n44,0.02,{value}\n")

    assert found == (f"line 2: {column} {value!r} {problem}",)


def test_every_problem_is_listed_and_the_message_shows_the_first(tmp_path):
    text = "prefix,price\n" + "".join(f"{n}x,0.01\n" for n in range(1, 9))
    with pytest.raises(DeckError, match=r"nothing of it was taken: line 2: .*\(and 3 more\)") as refused:
        read(tmp_path, text)

    assert [p.split(":")[0] for p in refused.value.problems] == [f"line {n}" for n in range(2, 10)]


def test_lines_are_those_of_the_file(tmp_path):
    text = 'prefix,country_name,price\n1,"two\nlines",0.01\n\n2x,,0.01\n'

    assert problems(tmp_path, text) == ("line 5: prefix '2x' is not digits only",)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (
            "44,0.02,,\n1,0.1,,\n44,0.03,,",
            "line 4: prefix '44' is in force at the same time as line 2, with another rate",
        ),
        (
            ",0.02,,\n,0.03,,",
            "line 3: the default row is in force at the same time as line 2, with another rate",
        ),
        (
            "44,0.02,2026-03-01,2026-05-01\n44,0.03,,2026-03-01\n44,0.04,2026-04-01,",
            "line 4: prefix '44' is in force at the same time as line 2, with another rate",
        ),
        (
            "44,0.02,,\n44,0.020,,",
            "line 3: prefix '44' is in force at the same time as line 2, with the same rate",
        ),
        ("44,0.02,2026-03-01,2026-03-01", "line 2: end_date is not after effective_date"),
    ],
)
def test_two_rows_for_one_key_must_not_be_in_force_at_once(tmp_path, rows, problem):
    assert problems(tmp_path, f"prefix,price,effective_date,end_date\n{rows}\n") == (problem,)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            ("44,60,,,,,0.6", "44,1,49,,,,0.01"),
            "line 3: prefix '44' has a price per 1 s and, {} 60 s (line 2){}",
        ),
        (
            ("44,1,,intrastate,,,0.01", "44,60,,interstate,,,0.6"),
            "line 3: prefix '44' has a price per 60 s and, {} 1 s (line 2){}",
        ),
        (
            ("44,60,,,peak,,0.6", "1,6,,,,,0.06", "44,6,,,,,0.06"),
            "line 4: prefix '44' has a price per 6 s and, {} 60 s (line 2){}",
        ),
        (
            (",60,,,,,0.6", ",1,1,,,,0.01"),
            "line 3: the default row has a price per 1 s and, {} 60 s (line 2){}",
        ),
        (
            ("44,60,,,,2026-03-01,0.6", "44,1,49,,,2026-04-01,0.01"),
            "line 3: prefix '44' has a price per 1 s and, {} 60 s (line 2){}",
        ),
        (
            ("44,60,,,,,0.6", "44,1,,,,,0.01"),
            "line 3: prefix '44' is in force at the same time as line 2, with another rate",
        ),
    ],
    ids=["origins", "jurisdictions", "windows", "the default row", "while both hold", "one key is told once"],
)
def test_one_prefix_has_one_unit_at_a_time(tmp_path, rows, said):
    header = "prefix,unit_seconds,origin_prefix,jurisdiction,window,end_date,price"
    found = problems(tmp_path, "\n".join((header, *rows)), windows=windows_said("peak mon-fri 08:00-20:00"))

    assert found == (said.format("in force at the same time, one per", ": write both for one unit"),)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("prefix,unit_seconds,price\n44,60,0.6\n441,1,0.01\n", {}),
        (
            "prefix,unit_seconds,origin_prefix,effective_date,end_date,price\n"
            "44,60,,,2026-03-01,0.6\n44,1,49,2026-03-01,,0.01\n",
            {},
        ),
        ("prefix,billing_minimum,origin_prefix,price\n44,60,,0.6\n44,6,49,0.06\n", {"unit_rule": "minimum"}),
    ],
    ids=["two prefixes", "one after the other", "a price per each row's own minimum"],
)
def test_units_that_differ_lawfully(tmp_path, text, options):
    assert read(tmp_path, text, **options).rates


def test_rows_that_follow_one_another_are_fine(tmp_path):
    rows = "44,0.02,,2026-03-01\n44,0.03,2026-03-01,2026-04-01\n44,0.04,2026-04-01,\n"

    assert len(read(tmp_path, f"prefix,price,effective_date,end_date\n{rows}").rates) == 3


@pytest.mark.parametrize(
    ("text", "where", "columns"),
    [
        ("mcc,MNC,price\n262,01,0.08\n262,02,0.08\n310,,0.1\n", "line 2 and 2 more", ("mcc", "MNC")),
        ("prefix,mcc,price\n49,,0.01\n4915,262,0.02\n", "line 3", ("mcc",)),
        ("PLMN,price\n262-01,0.08\n", "line 2", ("PLMN",)),
    ],
    ids=["a deck of messages", "one row", "as one column"],
)
def test_a_deck_of_messages_that_is_read_as_calls_is_told_once(tmp_path, text, where, columns):
    [told] = problems(tmp_path, text)

    assert told == (
        f"{where}: a network ({', '.join(columns)}) prices messages, not calls. If this is a deck of messages, "
        'say --service message (in decks.toml: service = "message"); if not, '
        + " ".join(f"--ignore {name!r}" for name in columns)
    )


def test_a_deck_of_calls_may_have_an_empty_column_of_networks(tmp_path):
    assert read(tmp_path, "prefix,mcc,price\n49,,0.01\n").rates == (Rate(Decimal("0.01"), "49"),)


def test_message_keys_that_clash(tmp_path):
    text = "mcc,mnc,country_code,price\n262,1,DEU,1\n262,01,,2\n,,DEU,3\n,,DEU,4\n262,,,5\n,7,,6\n"

    assert problems(tmp_path, text, service="message") == (
        "line 7: mnc without mcc",
        "line 3: mcc 262 mnc 1 is in force at the same time as line 2, with another rate",
        "line 5: country DEU is in force at the same time as line 4, with another rate",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: the file is empty; its first line must name the columns"),
        ("prefix,price\n", "line 2: there is no rate"),
        ("prefix,price,prefix\n1,0.01,1\n", "line 1: column 'prefix' is there twice"),
        (
            "prefix,price,conect_fee\n1,0.01,1\n",
            "line 1: unknown column 'conect_fee': read it with --map 'conect_fee'=OURS or leave it with --ignore",
        ),
        (
            "prefix,rate,cost\n1,1,1\n",
            "line 1: columns 'rate' and 'cost' both read as price: say which is not to be",
        ),
        ("country_name,price\nx,0.01\n", "line 1 was taken for the header, and there is no column 'prefix'"),
        ("prefix\n1\n", "line 1 was taken for the header, and there is no column 'price'"),
        ("prefix,price\n1,0.01,6\n", "line 2: 3 fields where the header has 2"),
        ('prefix,price\n"1"x,0.01\n', "line 2: "),
        (b"prefix,price\n1,\xff\n", "byte 15 is not UTF-8"),
    ],
    ids=[
        "empty",
        "no rows",
        "twice",
        "unknown",
        "two prices",
        "no prefix",
        "no price",
        "ragged",
        "quotes",
        "latin",
    ],
)
def test_wrong_files(tmp_path, text, problem):
    assert problems(tmp_path, text)[0].startswith(problem)


def test_a_byte_order_mark_capitals_and_blanks_are_forgiven(tmp_path):
    plan = read(tmp_path, "\ufeffPrefix , PRICE\r\n 44 , 0.02 \r\n")

    assert plan.rates == (Rate(Decimal("0.02"), "44"),)


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        (
            "prefix,price,currency\n1,1,USD\n2,1,EUR\n",
            {},
            "line 3: currency 'EUR' differs from 'USD' above; it must be",
        ),
        (
            "prefix,price,service\n1,1,message\n",
            {"service": "call"},
            "column service: the file says 'message' and the",
        ),
        ("prefix,price,rounding_decimals\n1,1,11\n", {}, "rounding_decimals 11 is none of 0, 1, 2"),
        ("prefix,price\n1,1\n", {"currency": "usd"}, "currency 'usd' is no ISO 4217 code such as USD"),
        ("prefix,price\n1,1\n", {"unit_rule": "fixed:0"}, "unit rule 'fixed:0' is neither"),
        (
            "prefix,price\n1,1\n",
            {"increment_rule": "x"},
            "increment_rule 'x' is none of total, after_minimum",
        ),
    ],
)
def test_what_holds_for_the_whole_plan(tmp_path, text, options, problem):
    assert problems(tmp_path, text, **options)[0].startswith(problem)


def test_the_version_tells_contents_apart(tmp_path):
    one, same, other, terms = (
        read(tmp_path, text, **options).version
        for text, options in [
            ("prefix,price\n1,1\n", {}),
            ("prefix,country_name,price\n1,Somewhere,1\n", {}),
            ("prefix,price\n1,2\n", {}),
            ("prefix,price\n1,1\n", {"increment_rule": "total"}),
        ]
    )

    assert one == same
    assert len({one, other, terms}) == 3


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(DeckError, match="cannot be read: No such file"):
        read_deck(tmp_path / "none.csv", DeckOptions("retail", SINCE))


def test_a_large_deck_is_read_whole(tmp_path):
    text = "prefix,billing_increment,billing_minimum,price\n" + "".join(
        f"{1_000_000 + n},6,30,0.0{n % 97}\n" for n in range(20_000)
    )

    assert len(read(tmp_path, text).rates) == 20_000


def test_the_canonical_header_is_known():
    assert len(COLUMNS) == len(set(COLUMNS)) == 34
