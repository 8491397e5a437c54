"""From the outside: what could not be rated is listed, decided by name, and billed or not accordingly."""

import json

from tests.journey.house import AS_OF, House


def waiting(house: House, *more: str) -> list[dict]:
    return [row for row in house.json("suspense", "list", *more) if row["standing"] == "open"]


def invoices_of(house: House, partner_sid: str) -> int:
    return house.one(f"select count(*) from invoice.invoices where partner_sid = '{partner_sid}'")


def test_a_person_decides_and_the_parked_customer_is_billed(house: House) -> None:
    (parked,) = {row["partner_sid"] for row in json.loads(house.tollbook("sql", "-f", "json", _PARKED).out)}
    (row,) = waiting(house, "--customer", parked)
    assert row["what to do"] != ""

    unsaid = house.tollbook("suspense", "accept", row["unrated_reason"])
    retried = house.json("suspense", "retry", "--customer", parked, "--as-of", AS_OF)
    accepted = house.tollbook(
        *("suspense", "accept", row["unrated_reason"], "--customer", parked),
        *("--why", "agreed", "--by", "Ann", "--as-of", AS_OF),
    )
    billed = house.tollbook("invoice", "--as-of", AS_OF)

    assert unsaid.code == 1
    assert "say why" in unsaid.err
    assert retried["before"] == retried["after"] == row["records"]
    assert (accepted.code, billed.code) == (0, 0), accepted.said + billed.said
    assert waiting(house, "--customer", parked) == []
    assert invoices_of(house, parked) == 1
    assert house.statement_differences() == []


def test_what_is_written_off_stays_visible_and_can_be_taken_back(house: House) -> None:
    before = waiting(house)
    day = before[0]["first"][:10]

    off = house.tollbook("suspense", "write-off", "--day", day, "--why", "too small", "--by", "Ann")
    listed = house.json("suspense", "list", "--day", day)
    shown = house.tollbook("suspense", "list", "--day", day, "--records", "5")
    undone = house.tollbook("suspense", "undo", "1", "--why", "a mistake", "--by", "Bob")
    (ruling,) = [r for r in house.json("suspense", "rulings") if r["action"] == "write_off"]

    assert (off.code, shown.code, undone.code) == (0, 0, 0), off.said + shown.said + undone.said
    assert {row["standing"] for row in listed} == {"written_off"}
    assert "written_off" in shown.out
    assert (ruling["decided_by"], ruling["undone_by"]) == ("Ann", "Bob")
    assert waiting(house) == before
    assert house.statement_differences() == []


_PARKED = "select distinct partner_sid from invoice.accounts where parked is not null"
