"""Decks are taken as carriers write them, and what could be read in two ways is refused with the option to say."""

import gzip
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain.rate_plan import Rate
from pipeline.domain.steps import Step
from pipeline.errors import DeckError
from pipeline.rate.deck.file import Deck, DeckOptions, read_whole
from pipeline.rate.deck.layout import Layout
from pipeline.rate.deck.windows import windows_said

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
UK = {"country_code": "GBR"}
PLAIN = [("44", Decimal("0.02")), ("1", Decimal("0.01"))]
TEXT = "prefix,price\n44,0.02\n1,0.01\n"


def read(
    tmp_path: Path, text: str | bytes, *, name: str = "deck.csv", layout: Layout | None = None, **more
) -> Deck:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_whole(path, DeckOptions("retail", SINCE, layout=layout or Layout(), **more))


def prices(deck: Deck) -> list[tuple[str, Decimal | None]]:
    return [(rate.prefix, rate.price) for rate in deck.plan.rates]


def problems(tmp_path: Path, text: str | bytes, **more) -> tuple[str, ...]:
    with pytest.raises(DeckError) as refused:
        read(tmp_path, text, **more)
    return refused.value.problems


@pytest.mark.parametrize(
    "text",
    [
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace(",", "|").encode(),
        gzip.compress(TEXT.encode()),
        TEXT.replace("\n", "\n\n,\n").encode(),
        ("ACME Carrier\nRates of March, all in USD\n\n" + TEXT).encode(),
        (TEXT + "Total,0.03\n").encode(),
        TEXT.replace("price\n", "price,\n").replace("2\n", "2,\n").replace("01\n", "01,\n").encode(),
        TEXT.replace("1,0.01\n", "prefix,price\n1,0.01\n").encode(),
    ],
    ids=[
        "byte order mark",
        "utf-16",
        "utf-16, big end first",
        "crlf",
        "cr",
        "semicolons",
        "tabs",
        "bars",
        "gzip",
        "empty lines",
        "a title block",
        "totals",
        "a comma at each end",
        "the header again",
    ],
)
def test_shapes_of_a_file(tmp_path, text):
    assert prices(read(tmp_path, text)) == PLAIN


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("44,0.02\n1,0.01\n", Layout(columns=("prefix", "price"))),
        ("prefix:price\n44:0.02\n1:0.01\n", Layout(delimiter=":")),
        (
            "Wohin;Preis\n44;0,02\n1;0,01\n",
            Layout(names=(("wohin", "prefix"), ("Preis", "price")), decimal=","),
        ),
        (
            "prefix,price,Stra\u00dfe\n44,0.02,\u00fc\n1,0.01,\n".encode("cp1252"),
            Layout(encoding="cp1252", ignore=("*",)),
        ),
        ("prefix,price,colour\n44,0.02,red\n1,0.01,blue\n", Layout(ignore=("Colour",))),
    ],
    ids=["no header", "another delimiter", "their names", "their encoding", "a column that is left"],
)
def test_what_a_person_says_about_the_file(tmp_path, text, layout):
    assert prices(read(tmp_path, text, layout=layout)) == PLAIN


@pytest.mark.parametrize(
    ("header", "row", "rate"),
    [
        ("Dial Code,Destination,Rate (USD/min)", "44,UK,0.02", {}),
        ("Destination Code,Price / min,Billing Increment", "44,0.02,60/6", {"minimum": 60, "increment": 6}),
        ("Code,Rate/Min,First Interval,Sub Interval", "44,0.02,30,6", {"minimum": 30, "increment": 6}),
        ("Prefix,Cost,Min Dur,Increments", "44,$0.02,1,1", {"minimum": 1}),
        ("Code,USD,Connection Fee,Grace", "44,0.02 USD,0.1,3", {"connect_fee": Decimal("0.1"), "grace": 3}),
        ("Code,Rate per second", "44,0.02", {"unit": 1}),
        ("Code,Rate,Valid From,Valid Until", "44,0.02,2026-03-01,", {"effective_from": MARCH}),
        ("Country,Code,Rate", "GB,44,0.02", {"country_code": "GBR"}),
        ("Country,Code,Rate", "United Kingdom,44,0.02", {}),
        (
            "Prefix,Origin,Rate,Minimum Charge",
            "44,+49,0.02,0.05",
            {"origin_prefix": "49", "min_charge": Decimal("0.05")},
        ),
        ("Prefix,Rate,Jurisdiction", "44,0.02,Interstate", {"jurisdiction": "interstate"}),
        ("Prefix,Rate,Steps", "44,0.02,60:0.01", {"steps": (Step(Decimal(60), Decimal("0.01")),)}),
        ("Prefix,Rate,Status", "44,0.02,Closed", {"blocked": True}),
        ("Prefix,Rate,Change Type", "44,0.02,Increase", {}),
        (
            "Land;Ziel;Vorwahl;Preis/Min;Taktung;G\u00fcltig ab;g\u00fcltig bis",
            "GB;UK;44;0,02;60/6;2026-03-01;2026-04-01",
            {
                "country_code": "GBR",
                "minimum": 60,
                "increment": 6,
                "effective_from": MARCH,
                "effective_to": APRIL,
            },
        ),
        ("L\u00e4ndervorwahl;Ortsvorwahl;Tarif", "4;4;0,02", {}),
        ("Zielland;VORWAHL;Preis pro Minute;Gueltig ab", "UK;44;0,02;2026-03-01", {"effective_from": MARCH}),
        (
            "Pr\u00e9fixe;Destination;Prix/min HT;Date d'effet",
            "44;UK;0,02;2026-03-01",
            {"effective_from": MARCH},
        ),
        (
            "Pays;Indicatif;Tarif;Co\u00fbt de connexion",
            "GB;44;0,02;0,1",
            {**UK, "connect_fee": Decimal("0.1")},
        ),
        (
            "Pa\u00eds;Prefijo;Tarifa por minuto;Fecha de inicio;Fecha fin",
            "GB;44;0,02;2026-03-01;2026-04-01",
            {**UK, "effective_from": MARCH, "effective_to": APRIL},
        ),
    ],
)
def test_columns_by_the_names_that_people_use(tmp_path, header, row, rate):
    assert read(tmp_path, f"{header}\n{row}\n").plan.rates == (Rate(Decimal("0.02"), "44", **rate),)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("+44", ["44"]),
        ("0044", ["44"]),
        ("01144", ["44"]),
        ("^9375.*", ["9375"]),
        ("9375XXXX", ["9375"]),
        ("9375%", ["9375"]),
        ("1201-1205", ["1201", "1202", "1203", "1204", "1205"]),
        ("1201-03", ["1201", "1202", "1203"]),
        ("+1200-+1209".replace("-+", "-"), ["120"]),
        ("447700900000-447700999999", ["4477009"]),
        ('"1201, 1203;1205-1206"', ["1201", "1203", "1205", "1206"]),
        ("*", [""]),
    ],
)
def test_prefixes_as_they_are_written(tmp_path, cell, expected):
    assert [prefix for prefix, _ in prices(read(tmp_path, f"prefix,price\n{cell},0.02\n"))] == expected


def test_digits_as_dialled_keep_what_is_dialled_before_a_country_code(tmp_path):
    deck = read(tmp_path, "prefix,price\n01144,0.02\n", match_field="number_dst_original")

    assert [prefix for prefix, _ in prices(deck)] == ["01144"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Country Code,Area Code,Rate\n93,"75, 77-78",1\n+93,,1\n', ["9375", "9377", "9378", "93"]),
        ("Country Code,Code,Rate\n93,9375,1\n93,93,1\n", ["9375", "93"]),
        ("Country Code,Rate\nDEU,1\n", None),
        ("NPANXX,Rate\n201555,1\n1202555,1\n", ["1201555", "1202555"]),
        ("NPA,NXX,Rate\n201,555,1\n", ["1201555"]),
        ("Country Code,Area Code,Rate\n39,06,1\n", ["3906"]),
    ],
    ids=["area codes", "both whole", "letters", "north american", "in two columns", "italy keeps its 0"],
)
def test_prefixes_in_parts(tmp_path, text, expected):
    if expected is None:
        assert read(tmp_path, text, service="message").plan.rates[0].country_code == "DEU"
    else:
        assert [prefix for prefix, _ in prices(read(tmp_path, text))] == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "Country Code,Code,Rate\n93,75,1\n",
            "line 2: Country Code '93', Code '75' does not begin with country code 93: if it is an area code, say "
            "--map 'Code=area_code'",
        ),
        (
            "Country Code,Area Code,Rate\n44,020,1\n",
            "line 2: Country Code '44', Area Code '020' begins with a 0 that is not dialled behind country code 44: "
            "leave it out",
        ),
        (
            "Code,Jurisdiction,Interstate Rate\n44,any,1\n",
            "line 1: jurisdiction and price_interstate say the same twice: leave one with --ignore",
        ),
        (
            "Code,NPA,Rate\n44,201,1\n",
            "line 1: npanxx and prefix say the same twice: leave one with --ignore",
        ),
        ("Code,Rate\n44,1,5\n", "line 2: 3 fields where the header has 2"),
        ("Code,Rate,Currency\n44,1\n", "line 2: 2 fields where the header has 3"),
        (
            "Code,Old Rate,Rate,Rate/sec\n44,1,1,1\n",
            "line 1: columns 'Rate' and 'Rate/sec' both read as price: say",
        ),
        (
            "Code,Inter EUR,Intra USD\n44,1,1\n",
            "line 1: its price columns differ in unit or currency; import them one by",
        ),
        (
            "Prefix,Rate,Min\n1,1,1\n",
            "line 1: unknown column 'Min': read it with --map 'Min'=OURS",
        ),
    ],
)
def test_what_could_mean_two_things_is_refused(tmp_path, text, problem):
    assert problems(tmp_path, text)[0].startswith(problem)


@pytest.mark.parametrize(
    ("price", "options", "expected"),
    [
        ("$0.02", {}, "0.02"),
        ("0.02 $", {}, "0.02"),
        ("USD 0.02", {}, "0.02"),
        ('"0,02"', {}, "0.02"),
        ('"\u20ac 1,5"', {"currency": "EUR"}, "1.5"),
        ('"1,234"', {"layout": Layout(decimal=",")}, "1.234"),
        ("\u00a30.02", {"currency": "GBP"}, "0.02"),
    ],
)
def test_prices_as_they_are_written(tmp_path, price, options, expected):
    assert prices(read(tmp_path, f"prefix,price\n44,{price}\n", **options)) == [("44", Decimal(expected))]


def test_decimals_after_a_comma_leave_no_point_to_be_guessed(tmp_path):
    (problem,) = problems(tmp_path, "prefix;price\n44;1.234\n", layout=Layout(decimal=","))

    assert problem.startswith("line 2: price '1.234' can be read in two ways")


@pytest.mark.parametrize("word", ["Blocked", "N/A", "-", "not available", ""])
def test_a_word_for_no_price_blocks_the_prefix(tmp_path, word):
    (rate,) = read(tmp_path, f"prefix,price\n44,{word}\n").plan.rates

    assert (rate.price, rate.priced) == (None, False)


@pytest.mark.parametrize(
    ("header", "currency", "unit"),
    [
        ("Preis (\u20ac/Min)", "EUR", 60),
        ("Rate (\u00a3)", "GBP", 60),
        ("Minutenpreis \u20ac", "EUR", 60),
        ("Preis in Euro", "EUR", 60),
        ("Precio/segundo", "USD", 1),
        ("Rate SEK", "SEK", 60),
    ],
)
def test_what_the_name_of_a_price_says(tmp_path, header, currency, unit):
    plan = read(tmp_path, f"Vorwahl;{header}\n44;0.02\n").plan

    assert (plan.currency, [rate.unit for rate in plan.rates]) == (currency, [unit])


NOT_KNOWN = {
    "below a title": (
        "ACME Telecom\nStand M\u00e4rz, alles netto\n\nWohin;Entgelt;Stand\n4930;0,02;x\n",
        ("line 4 was taken for the header", "--map 'Wohin=prefix' --map 'Entgelt=price'"),
    ),
    "a price alone": ("Wohin;Preis\n4930;0,02\n", ("line 1 was taken", "--map 'Wohin=prefix'")),
    "a prefix alone": ("Vorwahl;Wert\n4930;0,02\n", ("line 1 was taken", "--map 'Wert=price'")),
    "no header at all": ("ACME\n4930;0,02;x\n4931;0,02;x\n", ("line 2 was taken", "needs --columns")),
    "seconds or crowns": ("Vorwahl;Preis/Sek\n46;0,02\n", ("line 1 was taken", "--map 'Preis/Sek=price'")),
    "cents": ("Vorwahl;Cent/Min\n46;2\n", ("line 1 was taken", "--map 'Cent/Min=price'")),
    "with taxes": ("Vorwahl;Prix TTC\n46;2\n", ("line 1 was taken", "--map 'Prix TTC=price'")),
}


@pytest.mark.parametrize(("text", "said"), NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_a_header_that_is_not_known_is_named_with_what_was_looked_for(tmp_path, text, said):
    first = problems(tmp_path, text)[0]

    assert [part for part in (*said, "looked for") if part not in first] == []


def test_the_currency_of_the_header_holds(tmp_path):
    assert read(tmp_path, "Code,Rate (EUR)\n44,0.02\n").plan.currency == "EUR"
    assert problems(tmp_path, "Code,Rate (EUR)\n44,0.02\n", currency="USD") == (
        "column currency: the file says 'EUR' and the import 'USD'",
    )


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        ("01/03/2026", "DD/MM/YYYY", MARCH),
        ("03/01/2026", "MM/DD/YYYY", MARCH),
        ("01-Mar-26", "DD-MMM-YY", MARCH),
        ("20260301 00:00", "YYYYMMDD HH:mm", MARCH),
        ("2026-03-01", "DD/MM/YYYY", MARCH),
        ("2026-03-01 00:00:00.0009", "", MARCH),
    ],
)
def test_dates_in_a_named_format(tmp_path, text, date_format, expected):
    deck = read(tmp_path, f"prefix,price,start date\n44,1,{text}\n", layout=Layout(date_format=date_format))

    assert deck.plan.rates[0].effective_from == expected


def test_a_date_that_does_not_fit_its_format_is_refused(tmp_path):
    found = problems(
        tmp_path, "prefix,price,start date\n44,1,31/12/2026\n", layout=Layout(date_format="MM/DD/YYYY")
    )

    assert found == ("line 2: start date '31/12/2026' is no date like MM/DD/YYYY",)


def test_a_price_per_jurisdiction_is_a_row_each(tmp_path):
    deck = read(tmp_path, "NPANXX,Interstate Rate,Intrastate Rate,Indeterminate\n201555,0.01,0.02,N/A\n")

    assert [(r.prefix, r.jurisdiction, r.price, r.priced) for r in deck.plan.rates] == [
        ("1201555", "interstate", Decimal("0.01"), True),
        ("1201555", "intrastate", Decimal("0.02"), True),
        ("1201555", "indeterminate", None, False),
    ]


def test_networks_of_messages_in_one_column(tmp_path):
    deck = read(tmp_path, "MCCMNC,Country,Price per SMS\n26201,DE,0.08\n310-410,US,0.01\n", service="message")

    assert [(r.mcc, r.mnc, r.country_code) for r in deck.plan.rates] == [(262, 1, "DEU"), (310, 410, "USA")]


def test_messages_have_no_prefix(tmp_path):
    assert problems(tmp_path, "prefix,price\n44,1\n", service="message") == ("line 2: prefix is for calls",)


def test_a_term_may_be_left_out_of_a_line(tmp_path):
    deck = read(tmp_path, "prefix,price,currency\n44,1,EUR\n49,1,\nprefix,price,currency\nTotal,,\n")

    assert (deck.plan.currency, len(deck.plan.rates)) == ("EUR", 2)


def test_windows_are_told_by_name(tmp_path):
    text = "prefix,price,window\n44,0.02,peak\n44,0.01,\n"
    windows = windows_said("peak mon-fri 08:00-20:00")

    assert [r.window for r in read(tmp_path, text, windows=windows).plan.rates] == ["peak", ""]
    assert problems(tmp_path, text.replace("peak", "night"), windows=windows) == (
        "line 2: window 'night' is no window of the plan; they are peak",
    )


def test_windows_as_people_write_them():
    peak, weekend, holiday = windows_said(
        "peak mon-wed,fri 8:00-20:00; weekend sat-mon; holiday 2026-12-25 18:00-24:00"
    )

    assert (peak.weekdays, peak.begin, peak.end) == ((1, 2, 3, 5), time(8), time(20))
    assert (weekend.weekdays, weekend.begin, weekend.end) == ((1, 6, 7), time(0), time(0))
    assert (holiday.weekdays, holiday.holidays, holiday.begin, holiday.end) == (
        *((), (date(2026, 12, 25),)),
        *(time(18), time(0)),
    )


@pytest.mark.parametrize("text", ["-x mon", "peak workdays", "peak 25:00-26:00", "peak 2026-13-01"])
def test_windows_that_cannot_be_read(tmp_path, text):
    (problem,) = problems(tmp_path, f"prefix,price,windows\n44,1,{text}\n")

    assert problem.startswith("windows: ")


def test_terms_of_the_plan_in_columns(tmp_path):
    header = "prefix,price,family,unit_rule,billable_base,match_field,time_zone,windows,base_rounding,billing_minimum"
    row = "44,1,conference,minimum,duration,number_dst_transformed,Europe/Berlin,night 20:00-08:00,floor,60"
    plan = read(tmp_path, f"{header}\n{row}\n").plan

    assert (plan.family, plan.unit_rule, plan.billable_base, plan.match_field) == (
        *("conference", "minimum", "duration", "number_dst_transformed"),
    )
    assert (plan.time_zone, plan.windows, plan.base_rounding) == (
        *("Europe/Berlin", windows_said("night 20:00-08:00"), "floor"),
    )


def test_what_is_left_out_is_said(tmp_path):
    deck = read(
        tmp_path,
        "Code,Destination,Rate,Status\n44,UK,0.02,\n49,Germany,0.01,Deleted\n,Prices may change,,\nTotal,2,0.03,\n",
    )

    assert prices(deck) == [("44", Decimal("0.02"))]
    assert deck.left_out == ("line 4: Prices may change", "line 5: Total 2 0.03")
    assert [(line, rate.prefix) for line, rate in deck.gone] == [(3, "49")]
    assert deck.not_read == ("Destination",)


def test_all_problems_are_counted_and_a_thousand_are_listed(tmp_path):
    text = "prefix,price\n" + "x,1\n" * 1200
    with pytest.raises(DeckError, match=r"and 1,195 more") as refused:
        read(tmp_path, text)

    assert len(refused.value.problems) == 1000


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (gzip.compress(TEXT.encode())[:-9], "the gzip file is damaged or not whole: fetch it again"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "this is an old or a locked Excel file: save it as .xlsx"),
        (b"PK\x03\x04" + bytes(100), "this is no XLSX workbook that can be read"),
    ],
    ids=["half a gzip", "xls", "half a zip"],
)
def test_files_that_cannot_be_opened(tmp_path, data, problem):
    assert problems(tmp_path, data)[0].startswith(problem)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.rate.deck.sheet.LARGEST", 1024 * 1024)

    found = problems(tmp_path, gzip.compress(b"1,1\n" * 500_000))
    assert found == ("the file holds more than 1 MiB: split it",)
