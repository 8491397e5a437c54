"""Who is meant: a customer by sid, name or a part of the name. A slip of the pen is told; it is no empty answer."""

import json

import pytest

from pipeline.cli.named import partner_named
from pipeline.errors import SettingsError
from tests.journey.house import House

NAMES = {"p1": "Acme Dental", "p2": "Acme Dental Supply", "p3": "Boreal Freight"}


@pytest.mark.parametrize(
    ("text", "sid"),
    [("p2", "p2"), ("Acme Dental", "p1"), ("acme dental", "p1"), ("supply", "p2"), (" boreal ", "p3")],
    ids=["its sid", "its whole name, though another begins so", "in small letters", "a part", "with blanks"],
)
def test_a_customer_is_named_as_people_say_it(text: str, sid: str) -> None:
    assert partner_named(text, NAMES) == sid


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acme", "'acme' may be Acme Dental p1; Acme Dental Supply p2. Give the partner_sid."),
        ("zeta", "'zeta' is no customer of customers.csv"),
        ("", "'' is no customer"),
    ],
    ids=["two are called so", "nobody is", "nothing was said"],
)
def test_who_cannot_be_told_is_asked_for(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        partner_named(text, NAMES)

    assert said in str(error.value)


def test_suspense_is_asked_by_a_part_of_a_name(march: House) -> None:
    waiting = json.loads(march.tollbook("suspense", "list", "--json").out)
    name = waiting[0]["customers"][0]["name"]
    found = json.loads(march.tollbook("suspense", "list", "--json", "--customer", name[:-1].lower()).out)

    of_all = [who for row in waiting for who in row["customers"]]
    assert [who for row in found for who in row["customers"]] == [w for w in of_all if w["name"] == name]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("suspense list --customer nobody", "'nobody' is no customer"),
        ("suspense list --reason no_rat", "'no_rat' is no reason; the reasons are answer_missing"),
        ("suspense accept no_rat --why x", "'no_rat' is no reason"),
        ("suspense write-off --customer nobody --why x", "'nobody' is no customer"),
        ("fraud --customer nobody", "nobody is called 'nobody'"),
        ("fraud --kind wangir", "--kind 'wangir' is none of premium"),
        ("account nobody", "'nobody' is no customer"),
    ],
)
def test_a_slip_of_the_pen_is_no_empty_answer(march: House, arguments: str, said: str) -> None:
    done = march.tollbook(*arguments.split())

    assert (done.code, said in done.err) == (1, True), done.said
