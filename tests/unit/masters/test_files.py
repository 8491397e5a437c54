"""Masters are read whole, and refused whole with every problem's line."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import MasterError
from pipeline.masters.files import read_masters
from pipeline.masters.model import Assignment, Customer, Masters, Place, PlanTerms, Policy, Seller, TaxRule

HOUSE = '[seller.house]\nname = "House"\n'
CUSTOMERS = "partner_sid,name,time_zone,currency,country"
RESELLER = f"{CUSTOMERS},resells\np3,Three,UTC,USD,USA,yes\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(text, encoding="utf-8", newline="")
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(MasterError) as caught:
        read_masters(folder)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_a_folder_without_files_is_empty(tmp_path: Path) -> None:
    masters = read_masters(tmp_path / "missing")

    assert masters == Masters(fingerprint=masters.fingerprint)


def test_everything_a_customer_can_say_is_read(tmp_path: Path) -> None:
    header = (
        "partner_sid,name,seller,time_zone,currency,country,state,county,city,zip,anchor_day,terms_days,recipients,"
        "approval,opening_balance,tax_exempt,tax_id,did_price,bill_from,resells,language,purchase_order,comment"
    )
    row = (
        'p1,"Acme, Inc.",house,America/New_York,USD,USA,MA,Suffolk,Boston,02110,15,30,"a@b.example, c@d.example",'
        "automatic,-12.50,cert 1,12-3,0.75,2026-03-02,yes,en_GB,PO 7,whatever"
    )
    masters = read_masters(write(tmp_path, sellers_toml=HOUSE, customers_csv=f"\ufeff{header}\r\n{row}\r\n"))

    assert masters.customer("p1") == Customer(
        partner_sid="p1",
        name="Acme, Inc.",
        seller="house",
        time_zone="America/New_York",
        currency="USD",
        place=Place("USA", "MA", "Suffolk", "Boston", "02110"),
        anchor_day=15,
        terms_days=30,
        recipients=("a@b.example", "c@d.example"),
        approval="automatic",
        opening_balance=Decimal("-12.50"),
        tax_exempt="cert 1",
        tax_id="12-3",
        did_price=Decimal("0.75"),
        bill_from=date(2026, 3, 2),
        resells=True,
        language="en_GB",
        purchase_order="PO 7",
    )
    assert masters.sellers == {"house": Seller(key="house", name="House")}


def test_the_other_files_are_read(tmp_path: Path) -> None:
    masters = read_masters(
        write(
            tmp_path,
            sellers_toml=HOUSE,
            customers_csv=f"{CUSTOMERS}\np1,One,America/New_York,USD,USA\n",
            assignments_csv="partner_sid,plan_sid,service,direction,family,start,end\n"
            "*,retail,call,outbound,pstn,,\n"
            "p1,special,call,outbound,pstn,2026-03-16,2026-04-01T00:00:00Z\n",
            taxes_csv="rule,name,jurisdiction,type,rate,items,scope,start,end,country,legal_source\n"
            "vat,VAT 19 %,federal,service_tax,0.19,toll sms,any,2021-01-01,2030-01-01,DEU,UStG 12\n",
            tax_places_csv="country,state,comment\nUSA,TX,why\n",
            policy_toml='accepted_unrated = []\ngate_accepted = "Ann"\n[provider]\nunit_rule = "fixed:60"\n',
        )
    )

    assert masters.assignments == (
        Assignment("*", "retail", "call", "outbound", "pstn"),
        Assignment(
            "p1",
            "special",
            "call",
            "outbound",
            "pstn",
            start=datetime(2026, 3, 16, 4, tzinfo=UTC),  # midnight in New York
            end=datetime(2026, 4, 1, tzinfo=UTC),
        ),
    )
    assert masters.taxes == (
        TaxRule(
            rule="vat",
            name="VAT 19 %",
            jurisdiction="federal",
            type="service_tax",
            rate=Decimal("0.19"),
            country="DEU",
            items=("toll", "sms"),
            start=date(2021, 1, 1),
            end=date(2030, 1, 1),
            legal_source="UStG 12",
        ),
    )
    assert masters.tax_places == (Place("USA", "TX"),)
    assert masters.policy == Policy((), PlanTerms(unit_rule="fixed:60"), "Ann")


CUSTOMER_CASES = [
    pytest.param(
        "time_zone", "America/New_york", "is 'America/New_york'; valid is a name of the IANA", id="zone"
    ),
    pytest.param("currency", "usd", "is 'usd'; did you mean 'USD'?", id="currency"),
    pytest.param("country", "US", "is 'US'; did you mean 'USA'?", id="country"),
    pytest.param("anchor_day", "32", "is '32'; valid is a whole number from 1 to 31", id="anchor"),
    pytest.param("anchor_day", "0", "is '0'; valid is a whole number from 1 to 31", id="anchor zero"),
    pytest.param("opening_balance", "1e3", "is '1e3'; valid is plain decimal text", id="exponent"),
    pytest.param("opening_balance", "1,50", "is '1,50'; valid is plain decimal text", id="decimal comma"),
    pytest.param("opening_balance", ".5", "is '.5'; valid is plain decimal text", id="no leading digit"),
    pytest.param("did_price", "1234567890123", "valid is plain decimal text", id="13 digits"),
    pytest.param("bill_from", "2026-02-30", "is '2026-02-30'; valid is a date like", id="no such day"),
    pytest.param("bill_from", "20260301", "is '20260301'; valid is a date like", id="date without dashes"),
    pytest.param("recipients", "a@b", "holds 'a@b'; valid are addresses like", id="e-mail"),
    pytest.param("approval", "auto", "is 'auto'; did you mean 'automatic'?", id="approval"),
    pytest.param("resells", "true", "is 'true'; valid are no, yes", id="flag"),
    pytest.param("seller", "hous", "is 'hous'; did you mean 'house'?", id="seller"),
    pytest.param("name", "", "is empty; it is required", id="name"),
]


@pytest.mark.parametrize(("column", "value", "expected"), CUSTOMER_CASES)
def test_a_bad_cell_is_named_with_its_line_and_what_is_valid(
    tmp_path: Path, column: str, value: str, expected: str
) -> None:
    cells = {"partner_sid": "p1", "name": "One", "time_zone": "UTC", "currency": "USD", "country": "USA"} | {
        column: value
    }
    row = ",".join(f'"{cell}"' for cell in cells.values())
    write(tmp_path, sellers_toml=HOUSE, customers_csv=f"{','.join(cells)}\n{row}\n")

    (problem,) = problems(tmp_path)

    assert problem.startswith(f"customers.csv:2: {column} ")
    assert expected in problem


FILE_CASES = [
    pytest.param(
        {"customers_csv": f"{CUSTOMERS},tax_exmpt\n"},
        ["customers.csv:1: unknown column 'tax_exmpt'; did you mean 'tax_exempt'?"],
        id="unknown column",
    ),
    pytest.param(
        {"customers_csv": "partner_sid,name,time_zone,currency\n"},
        ["customers.csv:1: column 'country' is missing; it is required"],
        id="missing column",
    ),
    pytest.param(
        {"customers_csv": f"{CUSTOMERS},name\n"},
        ["customers.csv:1: column 'name' appears 2 times; keep one"],
        id="column twice",
    ),
    pytest.param(
        {"customers_csv": f'{CUSTOMERS}\np1,"two\nlines",UTC,USD,USA\n\np1,One,UTC,USD,USA\n'},
        ["customers.csv:5: customer 'p1' is already on line 2; keep one of them"],
        id="customer twice, after a quoted line break and an empty line",
    ),
    pytest.param(
        {"customers_csv": f"{CUSTOMERS}\np1,Acme, Inc.,UTC,USD,USA\n"},
        ["customers.csv:2: has 6 cells where the header has 5; quote a cell that holds a comma"],
        id="unquoted comma",
    ),
    pytest.param(
        {"customers_csv": f'{CUSTOMERS}\np1,"One,UTC,USD,USA\n'},
        ["customers.csv:2: is not CSV (unexpected end of data); quotes must be closed and doubled"],
        id="open quote",
    ),
    pytest.param(
        {"sellers_toml": "", "customers_csv": f"{CUSTOMERS}\np1,One,UTC,USD,USA\n"},
        [
            "customers.csv:2: seller cannot be found: sellers.toml has no seller; write a [seller.KEY] table first"
        ],
        id="no seller at all",
    ),
    pytest.param(
        {
            "sellers_toml": f'{HOUSE}[seller.other]\nname = "Other"\nseries = "OTH"\n',
            "customers_csv": f"{CUSTOMERS}\np1,One,UTC,USD,USA\n",
        },
        ["customers.csv:2: seller is empty and 2 sellers could be meant; valid are house, other"],
        id="two default sellers",
    ),
    pytest.param(
        {
            "sellers_toml": HOUSE + '[seller.three]\nname = "Three"\npartner_sid = "p3"\n',
            "customers_csv": RESELLER,
        },
        ["sellers.toml:3: series is 'INV' like [seller.house]; give each its own"],
        id="two sellers, one series of numbers",
    ),
    pytest.param(
        {"sellers_toml": HOUSE + '[seller.x]\nname = "X"\nseries = "X"\npartner_sid = "p9"\n'},
        ["sellers.toml:6: partner_sid is 'p9', which is no customer with resells = yes in customers.csv"],
        id="seller that is no reseller",
    ),
    pytest.param(
        {"sellers_toml": HOUSE + 'logo = "../logo.svg"\nadress = ["x"]\n'},
        [
            "sellers.toml:4: adress is an unknown key; did you mean 'address'?",
            "sellers.toml:3: logo is '../logo.svg'; valid is the name of an .svg, .png or .jpg file beside this one",
        ],
        id="seller's keys",
    ),
    pytest.param(
        {"sellers_toml": '[seller.house]\nname = "House\n'},
        ["sellers.toml: is not TOML: Illegal character '\\n' (at line 2, column 14)"],
        id="broken TOML",
    ),
    pytest.param(
        {"assignments_csv": "partner_sid,plan_sid,service,start,end\n*,a,call,,\n*,b,call,,\n"},
        [
            (
                "assignments.csv:3: overlaps line 2: the same partner, service, direction and family with the same "
                "start or plan (`plans assign` tells plans apart with --service, --direction and --family); end the "
                "earlier one where this starts"
            )
        ],
        id="two plans at once",
    ),
    pytest.param(
        {
            "assignments_csv": "partner_sid,plan_sid,start,end\np1,a,2026-03-02T00:00:00,\np1,b,2026-03-02,2026-03-01\n"
        },
        [
            (
                "assignments.csv:2: start is '2026-03-02T00:00:00'; valid is a date, or an instant with an offset "
                "like 2026-03-01T00:00:00Z"
            ),
            (
                "assignments.csv:3: end is 2026-03-01 00:00:00+00:00, not after start 2026-03-02 00:00:00+00:00; it is "
                "the first moment not in force any more"
            ),
        ],
        id="instants",
    ),
    pytest.param(
        {
            "taxes_csv": "rule,name,jurisdiction,type,rate,items,start,end,legal_source\n"
            "vat,VAT,federal,service_tax,19,tolls,2021-01-01,,law\n"
            "vat,VAT,nation,service_tax,0.2,,2024-01-01,,\n"
        },
        [
            "taxes.csv:2: rate is 19; valid is a fraction from 0 to 1 (0.19 for 19 %)",
            "taxes.csv:2: items holds 'tolls'; did you mean 'toll'?",
            (
                "taxes.csv:3: jurisdiction is 'nation'; valid are county, county_local, federal, local, other, state, "
                "state_county_local, unincorporated"
            ),
            "taxes.csv:3: legal_source is empty; it is required",
            (
                "taxes.csv:3: overlaps line 2: the same rule and place at the same time; end the earlier one where "
                "this starts"
            ),
        ],
        id="taxes",
    ),
    pytest.param(
        {"tax_places_csv": "country,state\nUSA,TX\nUSA,TX\n"},
        ["tax_places.csv:3: this place is already on line 2; keep one of them"],
        id="place twice",
    ),
    pytest.param(
        {
            "policy_toml": 'gate = "x"\n\n[provider]\nunit_rule = "fixed:0"\n'
            "rounding_decimals = 11\nmatch_field = 1.5\n"
        },
        [
            "policy.toml:1: gate is an unknown key; valid are accepted_unrated, gate_accepted, remind_daily",
            "policy.toml:6: match_field is 1.5; valid is a text, a whole number or a list of texts",
            "policy.toml:4: unit_rule is 'fixed:0'; valid is 'minimum' or 'fixed:60' (seconds)",
            "policy.toml:5: rounding_decimals is '11'; valid is a whole number from 0 to 10",
        ],
        id="policy",
    ),
]


@pytest.mark.parametrize(("files", "expected"), FILE_CASES)
def test_every_problem_is_listed(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    write(tmp_path, **({"sellers_toml": HOUSE} | files))

    assert problems(tmp_path) == expected


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    write(tmp_path, sellers_toml=HOUSE)
    (tmp_path / "customers.csv").write_bytes(f"{CUSTOMERS}\np1,Caf\xe9,UTC,USD,FRA\n".encode("latin-1"))

    assert problems(tmp_path) == ["customers.csv:2: is not UTF-8 text; save the file as UTF-8"]


def test_dated_rows_may_follow_one_another(tmp_path: Path) -> None:
    text = "partner_sid,plan_sid,start,end\np1,a,,2026-03-01\np1,a,2026-04-01,\np1,b,2026-03-01,\n"

    assert len(read_masters(write(tmp_path, assignments_csv=text)).assignments) == 3


def test_the_fingerprint_follows_the_bytes(tmp_path: Path) -> None:
    first = read_masters(write(tmp_path, sellers_toml=HOUSE)).fingerprint
    again = read_masters(tmp_path).fingerprint
    changed = read_masters(write(tmp_path, sellers_toml=HOUSE + "# a word\n")).fingerprint

    assert (first == again, first == changed) == (True, False)
