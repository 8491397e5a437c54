"""Trying another plan on a billed month: it changes nothing, and committing it posts the difference once."""

import csv
from decimal import Decimal
from pathlib import Path

from tests.journey.house import AS_OF, House

ASKED = (
    *("whatif", "--plan", "wholesale-outbound-2026", "--replaces", "retail-outbound-2026"),
    *("--from", "2026-03-01", "--to", "2026-04-01", "--as-of", AS_OF),
)


def test_asking_changes_nothing_and_committing_posts_what_was_billed_once(house: House) -> None:
    held, ledger = house.contents(), house.ledger("select * from files")
    answer = house.json(*ASKED)["whatif"]

    assert (house.contents(), house.ledger("select * from files")) == (held, ledger)
    assert {len(changes) > 0 for changes in answer["by"].values()} == {True}
    charged = house.one("""
        select sum(amount) from rate.calls
        where side = 'charge' and plan_sid = 'retail-outbound-2026' and date_stop < timestamptz '2026-04-01 00:00:00+00'
    """)
    assert Decimal(answer["totals"][0]["before"]) == charged

    posted = house.json(*ASKED, "--commit", "--by", "Ann")["posted"]
    assert house.rows('select distinct kind, "by" from invoice.adjustments') == [("whatif", "Ann")]
    sums = [Decimal(a["amount"]) for a in posted["adjustments"]]
    assert house.one("select sum(amount) from invoice.adjusted") == sum(sums)
    assert house.statement_differences() == []
    again = house.tollbook(*ASKED, "--commit", "--by", "Ann")
    assert (again.code, "has nothing to post" in again.said) == (1, True)


def test_a_person_adjusts_an_account(house: House) -> None:
    number = house.one("select min(number) from invoice.invoices")
    done = house.tollbook(
        "adjust", "--reason", "agreed by phone", "--taxed-as", "toll", number, "--", "-1.50"
    )

    assert done.code == 0, done.said
    assert house.rows("select description, amount, taxed_as from invoice.adjustments") == [
        (f"Adjustment to {number}: agreed by phone", Decimal("-1.50"), "toll")
    ]
    assert house.tollbook("adjust", "--reason", "x", "nobody", "1").code == 1


def test_a_quote_for_a_customer_and_the_same_call_explained(house: House, tmp_path: Path) -> None:
    sid, payer, number, start = house.rows("""
        select dr_sid, payer_sid, matched_number, date_start from rate.calls
        where side = 'charge' and level = 1 and rating_status = 'rated' and direction = 'outbound' and family = 'pstn'
        order by dr_sid limit 1
    """)[0]
    seconds = house.one(f"select base_seconds from rate.calls where dr_sid = '{sid}' and level = 1")
    quoted = house.json(
        "quote", number, "--customer", payer, "--seconds", str(seconds), "--at", start.isoformat()
    )
    charge = next(r for r in house.json("explain", sid)["rows"] if r["party"]["level"] == 1)

    assert quoted["amount"] == charge["outcome"]["amount"]
    assert quoted["why_plan"] == charge["why_plan"]
    assert quoted["candidates"][0]["verdict"] == "chosen"

    usage = tmp_path / "usage.csv"
    usage.write_text(f"number,seconds,at\n{number},{seconds},{start.isoformat()}\n", encoding="utf-8")
    (row,) = csv.DictReader(house.tollbook("quote", "--usage", usage, "--customer", payer).out.splitlines())
    assert (row["amount"], Decimal(row["to_pay"])) == (quoted["amount"], Decimal(quoted["amount_drawn"]))
