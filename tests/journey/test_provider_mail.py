"""An operator has the provider e-mail one of its own invoices, on record."""

from tests.journey.house import House, Provider

TO = "accounts@harbor.example"


def test_the_provider_is_asked_and_who_asked_is_on_record(house: House, march_provider: Provider) -> None:
    sid = house.one("select min(invoice_sid) from land.provider_invoices")
    done = house.tollbook("deliver", "--provider-invoice", sid, "--to", TO, "--by", "ann")
    assert done.code == 0, done.said
    assert {"invoice_sid": sid, "emails": TO} in march_provider.admin("requests")["emails"]
    decided = "select by, subject, reason from decisions where what = 'provider_mail'"
    assert house.ledger(decided) == [("ann", sid, f"to {TO}")]


def test_what_is_not_known_is_not_asked(house: House, march_provider: Provider) -> None:
    before = march_provider.admin("requests")["emails"]
    for arguments in (
        ("nonsense", "--to", TO),
        (house.one("select min(invoice_sid) from land.provider_invoices"),),
    ):
        assert house.tollbook("deliver", "--provider-invoice", *arguments).code == 1
    assert march_provider.admin("requests")["emails"] == before
