"""A billed month adds up, agrees with the provider, and is billed once to each customer."""

from decimal import Decimal

from tests.journey.house import House, Provider


def test_the_statement_adds_up(march: House) -> None:
    statement = march.json("statement")

    assert statement["differences"] == []
    sections = {line["section"] for line in statement["lines"]}
    assert sections == {"fetched", "landed", "rated", "charged", "invoiced"}


def test_records_seconds_and_money_are_what_the_tables_say(march: House) -> None:
    """The statement's own figures, counted once more by hand."""
    lines = march.json("statement")["lines"]

    def stated(section: str, what: str, column: str, **where: str) -> Decimal:
        found = [x for x in lines if x["section"] == section and x["what"] == what]
        found = [x for x in found if all(x[name] == value for name, value in where.items())]
        return sum((Decimal(str(x[column] or 0)) for x in found), Decimal(0))

    rated = (
        "select count(*), sum(billed_seconds), sum(amount) from rate.calls where rating_status = 'rated' and "
    )
    for side, condition in (
        ("cost", "side = 'cost'"),
        ("charge", "side = 'charge' and level = 1"),
        ("resold", "level > 1"),
    ):
        [(records, seconds, money)] = march.rows(rated + condition)
        here = {"service": "call", "side": side}
        assert stated("rated", "rated", "records", **here) == records
        assert stated("rated", "rated", "seconds", **here) == seconds
        assert stated("rated", "rated", "money", **here) == money
    assert stated("landed", "landed", "records", service="call") == march.one(
        "select count(*) from land.calls"
    )
    assert stated("invoiced", "claimed records", "records") == march.one(
        "select count(*) from invoice.claims"
    )
    assert stated("invoiced", "claimed records", "money") == march.one(
        "select sum(amount) from invoice.claims"
    )


def test_what_is_landed_is_what_the_provider_has(march: House, march_provider: Provider) -> None:
    for resource in ("calls", "messages"):
        landed = march.rows(f"select dr_sid, price, version from land.{resource} order by dr_sid")
        there = march_provider.records(resource)
        assert landed == [(r["dr_sid"], Decimal(r["price"]), r["version"]) for r in there]


def test_the_providers_prices_agree_except_for_the_planted_errors(
    march: House, march_provider: Provider
) -> None:
    found = march.json("audit")["audit"]["differences"]

    wrong = march_provider.planted("wrong_charges")
    unanswered = march_provider.planted("missing_answer")
    assert sorted(d["dr_sid"] for d in found) == sorted(wrong + unanswered)
    assert sorted(d["dr_sid"] for d in found if d["amount"] is None) == unanswered
    due = {w["dr_sid"]: w for w in march_provider.admin("truth")["planted"]["wrong_charges"]}
    for d in found:
        if d["dr_sid"] in due:
            told = due[d["dr_sid"]]
            assert Decimal(d["amount"]) == Decimal(told["price_due"])
            assert Decimal(d["provider_price"]) == Decimal(told["price"])


def test_items_and_taxes_sum_to_each_invoice(march: House) -> None:
    sums = march.rows("""
        select number, amount,
               (select sum(i.amount) from invoice.items as i where i.invoice_sid = v.invoice_sid),
               amount_tax,
               (select coalesce(sum(t.amount), 0) from invoice.taxes as t where t.invoice_sid = v.invoice_sid)
        from invoice.invoices as v
    """)

    assert len(sums) > 15
    assert [row for row in sums if row[1] != row[2] or row[3] != row[4]] == []


def test_items_are_the_sums_of_their_claimed_records(march: House) -> None:
    differing = march.rows("""
        select i.invoice_sid, i.line_no, i.amount_exact, sum(c.amount)
        from invoice.items as i
        join invoice.claims as c using (invoice_sid, line_no)
        group by all
        having i.amount_exact <> sum(c.amount) or i.records <> count(*)
    """)

    assert differing == []


def test_numbers_are_gapless_and_every_period_has_one_invoice(march: House) -> None:
    assert_numbers_are_gapless(march)
    assert march.rows("""
        select partner_sid, seller, date_billing_period_end from invoice.invoices group by all having count(*) > 1
    """) == []  # fmt: skip


def assert_numbers_are_gapless(house: House) -> None:
    """Each series counts from one, without a hole."""
    numbers = [number for (number,) in house.ledger("select number from invoices where number is not null")]
    series: dict[str, list[int]] = {}
    for number in numbers:
        name, _, last = number.rpartition("-")
        series.setdefault(name, []).append(int(last))
    assert series != {}
    assert {name: sorted(found) for name, found in series.items()} == {
        name: list(range(1, len(found) + 1)) for name, found in series.items()
    }


def test_every_issued_invoice_has_its_documents_and_one_message(march: House) -> None:
    issued = march.rows("select invoice_sid from invoice.invoices where number is not null order by all")
    mailed = march.rows("select invoice_sid from deliver.emails where status = 'sent' order by all")

    assert mailed == issued
    assert len(list((march.home / "outbox").glob("*.eml"))) == len(issued)
    for (sid,) in issued:
        assert (march.home / "documents" / sid / "invoice.pdf").read_bytes().startswith(b"%PDF")


def test_an_invoice_can_be_followed_back_to_a_record(march: House) -> None:
    number, line, dr_sid = march.rows("""
        select v.number, c.line_no, c.dr_sid from invoice.claims as c join invoice.invoices as v using (invoice_sid)
        where v.number is not null and c.service = 'call' order by all limit 1
    """)[0]

    assert march.json("explain", number)["invoice"]["number"] == number
    assert dr_sid in march.tollbook("explain", f"{number}/{line}", "--limit", "0").out
    record = march.tollbook("explain", dr_sid)
    assert record.code == 0
    assert dr_sid in record.out


def test_a_line_without_a_record_is_explained_by_its_parts(march: House) -> None:
    """One of each kind: a charge, a discount, a commitment, and numbers."""
    found = march.rows("""
        select kind, min(invoice_sid || '/' || line_no) from invoice.parts where line_no > 0 group by kind order by all
    """)

    assert [kind for kind, _ in found] == ["committed", "counted", "discount", "number", "recurring"]
    for kind, line in found:
        told = march.json("explain", line)
        assert kind in {part["kind"] for part in told["parts"]}
        assert sum(Decimal(part["amount"]) for part in told["parts"]) == Decimal(told["item"]["amount_exact"])
