"""Tax tables: what runs out is said beforehand, what is left open is refused by its line, studies are whole."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import MasterError
from pipeline.masters.files import read_masters
from pipeline.masters.model import Masters
from pipeline.masters.taxes import tax_gaps
from pipeline.shipped import shipped

HEADER = "rule,name,jurisdiction,type,rate,share,start,end,country,state,legal_source\n"
SELLERS = '[seller.house]\nname = "House"\n'
CUSTOMERS = "partner_sid,name,time_zone,currency,country,state,tax_exempt\n"


def rule(rate: str, start: str, end: str, state: str = "", name: str = "fund") -> str:
    return f"{name},Fund,federal,sales_tax,{rate},0.649,{start},{end},USA,{state},the law\n"


def read(folder: Path, **files: str) -> Masters:
    for name, content in files.items():
        stem, _, kind = name.rpartition("_")
        (folder / f"{stem}.{kind}").write_text(content)
    return read_masters(folder)


# what follows on a row that ends on 2026-04-01 -> what is wrong with it
FOLLOWED = {
    "at once": (rule("0.2", "2026-04-01", ""), None),
    "a day later": (
        rule("0.2", "2026-04-02", ""),
        "taxes.csv:3: start is 2026-04-02, and line 2 ends on 2026-04-01: begin it there, or add a row of rate 0 "
        "for the days between",
    ),
    "a day early": (
        rule("0.2", "2026-03-31", ""),
        "taxes.csv:3: overlaps line 2: the same rule and place at the same time; end the earlier one where this starts",
    ),
    "abolished for a while, on record": (
        rule("0", "2026-04-01", "2026-07-01") + rule("0.2", "2026-07-01", ""),
        None,
    ),
    "in another place": (rule("0.2", "2026-09-01", "", "TX"), None),
    "another rule": (rule("0.2", "2026-09-01", "", name="other"), None),
}


@pytest.mark.parametrize(("following", "wrong"), FOLLOWED.values(), ids=FOLLOWED)
def test_no_day_between_two_rows_of_a_rule_is_left_open(
    tmp_path: Path, following: str, wrong: str | None
) -> None:
    taxes = HEADER + rule("0.1", "2026-01-01", "2026-04-01") + following
    if wrong is None:
        assert len(read(tmp_path, taxes_csv=taxes).taxes) == 1 + following.count("\n")
    else:
        with pytest.raises(MasterError) as told:
            read(tmp_path, taxes_csv=taxes)
        assert wrong in str(told.value)


STUDY = "seller,rule,share,document,start,end\n"
STUDIES = {
    "unknown seller": ("harbor,fund,0.4,study,,\n", "seller is 'harbor'; valid are house"),
    "unknown rule": ("house,funds,0.4,study,,\n", "rule is 'funds'; did you mean 'fund'?"),
    "a percentage": ("house,fund,40,study,,\n", "share is 40; valid is a fraction from 0 to 1"),
    "no document": ("house,fund,0.4,,,\n", "document is empty; it is required"),
    "no share": ("house,fund,,study,,\n", "share is empty; it is required"),
    "two at once": ("house,fund,0.4,a,,\nhouse,fund,0.5,b,2026-01-01,\n", "overlaps line 2"),
}


@pytest.mark.parametrize(("rows", "wrong"), STUDIES.values(), ids=STUDIES)
def test_a_study_names_seller_rule_share_and_document(tmp_path: Path, rows: str, wrong: str) -> None:
    taxes = HEADER + rule("0.1", "2026-01-01", "")
    with pytest.raises(MasterError) as told:
        read(tmp_path, sellers_toml=SELLERS, taxes_csv=taxes, tax_shares_csv=STUDY + rows)
    assert wrong in str(told.value)


def test_what_runs_out_is_said_with_how_many_wait_for_it(tmp_path: Path) -> None:
    people = (
        "a,A,UTC,USD,USA,TX,",
        "b,B,UTC,USD,USA,TX,",
        "c,C,UTC,USD,USA,TX,certificate",
        "d,D,UTC,USD,FRA,,",
    )
    masters = read(
        tmp_path,
        sellers_toml=SELLERS,
        customers_csv=CUSTOMERS + "\n".join(people) + "\n",
        taxes_csv=HEADER + rule("0.1", "2026-01-01", "2026-04-01"),
        tax_places_csv="country,state\nUSA,TX\n",
    )
    undeclared = "no tax rules for FRA: add what is due there to taxes.csv and the place to tax_places.csv (1 customer)"
    customers = masters.customers.values()
    assert tax_gaps(masters, ((c, date(2026, 3, 31)) for c in customers)) == (undeclared,)
    assert tax_gaps(masters, ((c, date(2026, 4, 1)) for c in customers)) == (
        undeclared,
        "the tax rule fund ends on 2026-04-01 and nothing follows it: add its next row to taxes.csv, with rate 0 if "
        "the tax is gone (2 customers)",
    )


def test_the_reference_table_fits_the_demos_taxes(tmp_path: Path) -> None:
    reference = shipped("data", "masters", "reference", "us-trs.csv")
    shutil.copy(reference, tmp_path / "taxes.csv")
    years = {(tax.rule, tax.start.year) for tax in read_masters(tmp_path).taxes if tax.start}
    rules = ("us-trs", "us-trs-international", "us-trs-internet")
    assert years == {(rule, year) for rule in rules for year in range(2021, 2025)}
