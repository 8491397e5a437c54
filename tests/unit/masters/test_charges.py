"""``charges.csv``, ``discounts.csv``, ``commitments.csv``, ``per_use.csv`` and ``did_prices.csv``: what they give, and
every mistake in them with its line."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain.charges import Charge, Commitment, Discount, PerUse
from pipeline.domain.did_prices import DidPrice
from pipeline.errors import MasterError
from pipeline.masters.files import read_masters

HOUSE = '[seller.house]\nname = "House"\n'
ACME = "partner_sid,name,time_zone,currency,country\nacme,Acme,UTC,USD,USA\n"
HEADERS = {
    "charges": "charge,name,partner_sid,amount,currency,billed,quantity,taxed_as,prorated,start,end,order",
    "discounts": "discount,name,partner_sid,percent,amount,currency,items,below_zero,start,end",
    "commitments": "commitment,partner_sid,amount,currency,items,taxed_as",
    "per_use": "per_use,partner_sid,type,price,currency,source,families",
    "did_prices": "partner_sid,prefix,steps,currency,start,end",
}


def folder(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "sellers.toml").write_text(HOUSE)
    (tmp_path / "customers.csv").write_text(ACME)
    for name, rows in files.items():
        (tmp_path / f"{name}.csv").write_text(f"{HEADERS[name]}\n{rows}\n")
    return tmp_path


def test_what_the_files_give(tmp_path: Path) -> None:
    masters = read_masters(
        folder(
            tmp_path,
            charges="seat,Seat,acme,12.50,,arrears,3,did,no,2026-03-01,2026-06-01,2\nfee,,*,9,USD,,,,,,,",
            discounts="loyal,Loyalty,acme,10,,,toll sms,,2026-03-01,\nwelcome,,acme,,50,,,yes,,",
            commitments="least,acme,500,,toll recurring,toll",
            per_use="dip,acme,did_lookup_lrn,0.004,,lookups,\nvm,*,transcription_low,0.05,USD,calls,voicemail flexml",
            did_prices="acme,,0:1.00;100:0.80,,,\n*,1800,0:2,USD,2026-01-01,",
        )
    )
    assert masters.charges == (
        Charge(
            *(
                "seat",
                "Seat",
                "acme",
                Decimal("12.50"),
                "USD",
                "arrears",
                3,
                date(2026, 3, 1),
                date(2026, 6, 1),
            ),
            taxed_as="did",
            prorated=False,
            order=2,
        ),
        Charge("fee", "fee", "*", Decimal(9), "USD", "advance"),
    )
    assert masters.discounts == (
        Discount("loyal", "Loyalty", "acme", "USD", Decimal(10), None, ("toll", "sms"), date(2026, 3, 1)),
        Discount("welcome", "welcome", "acme", "USD", None, Decimal(50), below_zero=True),
    )
    assert masters.commitments == (
        Commitment("least", "least", "acme", Decimal(500), "USD", ("toll", "recurring"), taxed_as="toll"),
    )
    assert masters.per_use == (
        PerUse("dip", "dip", "acme", "did_lookup_lrn", Decimal("0.004"), "USD", "lookups"),
        PerUse(
            *("vm", "vm", "*", "transcription_low", Decimal("0.05"), "USD", "calls"), ("voicemail", "flexml")
        ),
    )
    assert masters.did_prices == (
        DidPrice("acme", "", "USD", ((0, Decimal("1.00")), (100, Decimal("0.80")))),
        DidPrice("*", "1800", "USD", ((0, Decimal(2)),), date(2026, 1, 1)),
    )


MISTAKES = {
    "no such customer": (
        "charges",
        "a,,bcme,1,,,,,,,,",
        "charges.csv:2: partner_sid is 'bcme'; did you mean 'acme'?",
    ),
    "a currency that is not the customer's": (
        "charges",
        "a,,acme,1,EUR,,,,,,,",
        "charges.csv:2: currency is 'EUR', while the customer is billed in USD",
    ),
    "no currency for everybody": (
        "charges",
        "a,,*,1,,,,,,,,",
        "charges.csv:2: currency is empty; a row for *",
    ),
    "less than nothing": (
        "charges",
        "a,,acme,-1,,,,,,,,",
        "charges.csv:2: amount is -1; valid is more than 0",
    ),
    "no amount": ("charges", "a,,acme,,,,,,,,,", "charges.csv:2: amount is empty; it is required"),
    "once without a day": ("charges", "a,,acme,1,,once,,,,,,", "charges.csv:2: start is empty; of a charge"),
    "once with an end": (
        "charges",
        "a,,acme,1,,once,,,,2026-03-01,2026-04-01,",
        "charges.csv:2: end has no meaning for a charge that is billed once",
    ),
    "ends before it starts": (
        "charges",
        "a,,acme,1,,,,,,2026-04-01,2026-03-01,",
        "charges.csv:2: end is 2026-03-01, not after start 2026-04-01",
    ),
    "an unknown item type": (
        "charges",
        "a,,acme,1,,,,tol,,,,",
        "charges.csv:2: taxed_as is 'tol'; did you mean 'toll'?",
    ),
    "twice": (
        "charges",
        "a,,acme,1,,,,,,,,\na,,acme,2,,,,,,,,",
        "charges.csv:3: charge 'a' of 'acme' is already on line 2",
    ),
    "both or neither": (
        "discounts",
        "a,,acme,10,5,,,,,",
        "discounts.csv:2: percent or amount is needed, and not both",
    ),
    "more than all": (
        "discounts",
        "a,,acme,101,,,,,,",
        "discounts.csv:2: percent is 101; valid is more than 0",
    ),
    "a percentage below zero": (
        "discounts",
        "a,,acme,10,,,,yes,,",
        "discounts.csv:2: below_zero is for a fixed amount",
    ),
    "an unknown word": (
        "discounts",
        "a,,acme,10,,,tolls,,,",
        "discounts.csv:2: items holds 'tolls'; did you mean 'toll'?",
    ),
    "a minimum of nothing": (
        "commitments",
        "a,acme,0,,,",
        "commitments.csv:2: amount is 0; valid is more than 0",
    ),
    "speech from lookups": (
        "per_use",
        "a,acme,tts,1,,lookups,",
        "per_use.csv:2: source is lookups, which are did_lookup_",
    ),
    "calls of no family": (
        "per_use",
        "a,acme,tts,1,,calls,",
        "per_use.csv:2: families is needed with source calls",
    ),
    "steps that fall": (
        "did_prices",
        "acme,,0:1;100:2;50:3,,,",
        "did_prices.csv:2: steps is '0:1;100:2;50:3'; valid are numbers held and a price each",
    ),
    "steps from above": ("did_prices", "acme,,10:1,,,", "did_prices.csv:2: steps is '10:1'"),
    "prices at once": (
        "did_prices",
        "acme,,0:1,,,\nacme,,0:2,,2026-03-01,",
        "did_prices.csv:3: overlaps line 2: the same customer and prefix at the same time",
    ),
}


@pytest.mark.parametrize(("name", "rows", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, name: str, rows: str, said: str) -> None:
    with pytest.raises(MasterError) as caught:
        read_masters(folder(tmp_path, **{name: rows}))
    assert said in str(caught.value)


def test_a_second_price_after_the_first_is_no_mistake(tmp_path: Path) -> None:
    rows = "acme,,0:1,,,2026-03-01\nacme,,0:2,,2026-03-01,"
    assert len(read_masters(folder(tmp_path, did_prices=rows)).did_prices) == 2
