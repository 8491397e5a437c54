"""What is asked for: reminders and prepaid credit, and invoices that wait for a person, from the command line."""

import json

from tests.journey.house import House

MAY = "2026-05-01T06:00:00Z"  # two weeks after the due date


def test_reminders_are_shown_queued_and_sent_once(house: House) -> None:
    def queued() -> list[tuple]:
        return house.ledger(
            "select level, status, count(*) from emails where kind = 'reminder' group by 1, 2"
        )

    shown = house.tollbook("remind", "--dry-run", "--as-of", MAY)
    assert (shown.code, queued()) == (0, []), shown.said
    assert "Ironwood Lathe Works" in shown.out
    done = [house.tollbook(*command, "--as-of", MAY) for command in (("remind",), ("remind",))]
    assert [d.code for d in done] == [0, 0], done[0].said
    ((level, status, count),) = queued()
    assert (level, status) == (1, "queued")
    assert count > 0
    assert "no reminder is due" in done[1].said
    sent = house.tollbook("deliver")
    assert sent.code == 0, sent.said
    assert queued() == [(1, "sent", count)]
    assert len(list((house.home / "outbox").glob("*-reminder-1.eml"))) == count


def test_prepaid_credit_is_listed(house: House) -> None:
    listed = house.tollbook("prepaid", "--json")
    assert listed.code == 0, listed.said
    assert {row["advice"] for row in json.loads(listed.out)} <= {"ok", "low", "suspend"}
    assert house.tollbook("prepaid").code == 0


def test_nobody_lets_an_invoice_through_that_does_not_wait(house: House) -> None:
    refused = house.tollbook("allow", "0123456789ab", "--reason", "why not", "--by", "Ada")
    assert refused.code == 1
    assert "no customer is parked with the code" in refused.err


def test_a_banks_list_is_read_as_it_comes(house: House) -> None:
    ((number,),) = house.ledger("select min(number) from invoices where status = 'open'")
    bank = house.home / "umsatz.csv"
    bank.write_text(
        f"Konto;1\nBuchungstag;Betrag;Zweck\n30.04.2026;-1.000,00;Miete\n30.04.2026;1,48;{number}\n"
    )
    told = ("--map", "Buchungstag=date", "--map", "Betrag=amount", "--map", "Zweck=reference")
    refused = house.tollbook("pay", "--file", bank, *told)
    done = house.tollbook("pay", "--file", bank, *told, "--decimal", ",", "--date-format", "DD.MM.YYYY")

    assert (refused.code, "line 3: the date '30.04.2026' is no ISO date" in refused.said) == (1, True)
    assert done.code == 0, done.said
    assert "line 3: 2026-04-30 -1000.00 'Miete': not a payment that came in" in " ".join(done.said.split())
    assert "1 booked, 0 known from before, 1 left for a person" in done.said
    assert house.ledger("select distinct note from entries where kind = 'payment'") == [
        (f"2026-04-30 {number}",)
    ]
    assert house.tollbook("pay", number, "5", "--decimal", ",").code == 2
