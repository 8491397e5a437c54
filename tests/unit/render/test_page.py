"""What a customer reads on the page."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pipeline.domain.period import Period
from pipeline.errors import RenderError
from pipeline.render.chart import HEIGHT, WIDTH, chart
from pipeline.render.detail import Detail
from pipeline.render.document import Day
from pipeline.render.formats import Formats, clean
from pipeline.render.html import render_html, render_mail, sections
from tests.fixtures.invoices import END, START, TAXES, snapshot
from tests.fixtures.pages import Seen, detail, make_page


def words(html: str) -> str:
    return " ".join(" ".join(Seen(html).text).split())


def test_every_line_tax_and_total_is_on_the_page() -> None:
    document = make_page()
    text = words(render_html(document))
    figures = [
        "$0.37",
        "$118.43",
        "$2.04",
        "$7.20",
        "$128.04",
        "$44.62",
        "$8.00",
        "$52.62",
        "$180.66",
        "$25.00",
    ]
    said = [item.description for item in document.items] + [tax.name for tax in document.taxes] + figures
    assert [missing for missing in said if missing not in text] == []


def test_a_tax_on_a_part_of_its_charges_says_which_part() -> None:
    said = "On 64.9% of the charges it applies to"
    pages = [render_html(make_page(taxes=[TAXES[0] | {"share": Decimal(s)}])) for s in ("1", "0.649")]
    assert [said in words(page) for page in pages] == [False, True]


def test_the_amounts_of_the_detail_share_their_decimals_so_that_they_stand_in_line() -> None:
    rows = [replace(detail(1).rows[0], amount=Decimal(amount)) for amount in ("0.5", "0.0125", "12.0")]
    text = words(render_html(make_page(calls=Detail(tuple(rows), total=3))))
    assert [amount for amount in (" 0.5000 ", " 0.0125 ", " 12.0000 ") if amount not in text] == []


def test_page_is_self_contained() -> None:
    html = render_html(make_page())
    seen = Seen(html)
    assert [tag for tag in ("script", "link", "iframe", "object", "form", "a") if seen.elements[tag]] == []
    assert [name for name in seen.attributes if name.startswith("on") or name in {"href", "srcset"}] == []
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")


def test_draft_says_so_and_asks_for_nothing() -> None:
    text = words(render_html(make_page(number=None)))
    assert "This is not an invoice yet" in text
    assert "Please pay by" not in text
    assert "How to pay" not in text


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        pytest.param({}, "Please pay by April 17, 2026", id="something to pay"),
        pytest.param(
            {"amount_due": Decimal("0.00"), "balance_forward": Decimal("0.00")}, "Nothing to pay.", id="even"
        ),
        pytest.param(
            {"amount_due": Decimal("0.00"), "balance_forward": Decimal("-223.87")},
            "A credit of $223.87 carries forward.",
            id="credit",
        ),
    ],
)
def test_foot_says_what_to_do(totals: dict, expected: str) -> None:
    assert expected in words(render_html(make_page(**totals)))


def test_untaxed_invoice_says_why() -> None:
    exempt = make_page(taxes=(), snapshot=snapshot({"tax_exempt": "resale certificate 12"}))
    assert "No tax is charged: exempt, resale certificate 12 ." in words(render_html(exempt))
    assert "No tax applies to this invoice." in words(render_html(make_page(taxes=())))


def test_line_of_an_earlier_period_shows_its_dates() -> None:
    document = make_page()
    early = Period(START.replace(month=2), START)
    items = (replace(document.items[0], period=early), *document.items[1:])
    text = words(render_html(replace(document, items=items)))
    assert "Feb 1, 2026 \N{EN DASH} Feb 28, 2026" in text


@pytest.mark.parametrize(
    ("shown", "total", "expected"),
    [
        pytest.param(3, 3, "All 3 records; they are also in calls.csv.", id="all"),
        pytest.param(3, 1204, "The first 3 of 1,204 records; all of them are in calls.csv.", id="capped"),
    ],
)
def test_call_detail_says_how_much_of_it_is_shown(shown: int, total: int, expected: str) -> None:
    rows = detail(shown)
    assert expected in words(render_html(make_page(calls=type(rows)(rows.rows, total))))


@pytest.mark.parametrize(
    ("country", "expected"),
    [pytest.param("USA", "letter", id="US"), pytest.param("DEU", "A4", id="elsewhere")],
)
def test_paper_follows_the_customers_country(country: str, expected: str) -> None:
    assert make_page(snapshot=snapshot({"place": {"country": country}})).paper == expected


@pytest.mark.parametrize("accent", ["red; } body { display: none", "#fff", "#12345g", "url(x)", "#1f5f8b\n"])
def test_accent_that_is_not_a_colour_is_ours(accent: str) -> None:
    assert make_page(snapshot=snapshot(seller={"accent": accent})).seller.accent == "#1f5f8b"


def test_snapshot_that_cannot_be_read_is_named() -> None:
    with pytest.raises(RenderError, match="inv-1: its snapshot cannot be read"):
        make_page(snapshot=json.dumps({"customer": {}}))


def test_sections_keep_the_order_of_lines_and_add_them_up() -> None:
    made = sections(make_page().items)
    assert [(s.title, s.usage, s.amount) for s in made] == [
        ("Calls", 16145, Decimal("118.80")),
        ("Text messages", 340, Decimal("2.04")),
        ("Phone numbers", 12, Decimal("7.20")),
    ]


def test_email_is_one_line_of_subject_and_two_bodies() -> None:
    mail = render_mail(make_page())
    assert mail.subject == "Invoice HCS-2026-000001 from Harbor Carrier Services: $180.66 due Apr 17, 2026"
    assert "Amount due:  $180.66" in mail.text
    assert "$180.66" in mail.html
    assert Seen(mail.html).elements["img"] == 0


US = Formats.of("en_US", "America/Chicago", "USD")
DE = Formats.of("de-DE", "Europe/Berlin", "EUR")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(lambda: US.money(Decimal("2.345")), "$2.35", id="half up, not half even"),
        pytest.param(lambda: US.money(Decimal("-0.004")), "$0.00", id="no negative zero"),
        pytest.param(
            lambda: Formats.of("ja_JP", "Asia/Tokyo", "JPY").money(Decimal("1234.5")), "￥1,235", id="yen"
        ),
        pytest.param(lambda: DE.money(Decimal("1234.5")), "1.234,50\xa0€", id="German money"),
        pytest.param(lambda: US.exact(Decimal("0.0123456789")), "0.0123456789", id="ten decimals"),
        pytest.param(lambda: US.exact(Decimal("1234.5000000000")), "1,234.50", id="needless zeros"),
        pytest.param(lambda: US.seconds(8880), "2:28:00", id="148 minutes"),
        pytest.param(lambda: US.seconds(59), "0:00:59", id="under a minute"),
        pytest.param(lambda: US.seconds(-75), "-0:01:15", id="a correction, with the minus of its money"),
        pytest.param(lambda: US.seconds(Decimal("4.250")), "0:00:04.25", id="part of a second"),
        pytest.param(lambda: DE.seconds(Decimal("4.250")), "0:00:04,25", id="part of a second in German"),
        pytest.param(lambda: US.seconds(400_000), "111:06:40", id="more than a day"),
        pytest.param(lambda: US.percent(Decimal("0.0625")), "6.25%", id="percent keeps its decimals"),
        pytest.param(
            lambda: US.period(Period(START, END)),
            "Mar 1, 2026 \N{EN DASH} Mar 31, 2026",
            id="both days inclusive",
        ),
        pytest.param(lambda: DE.long_date(START), "1. März 2026", id="German date"),
        pytest.param(lambda: US.moment(START), "2026-03-01 00:00:00", id="the customer's clock"),
        pytest.param(lambda: US.usage(1500, "sms"), "1,500", id="messages are counted"),
    ],
)
def test_figures(made: Callable[[], str], expected: str) -> None:
    assert made() == expected


@pytest.mark.parametrize(("language", "zone"), [("xx_YY", "UTC"), ("en_US", "Mars/Olympus"), ("", "UTC")])
def test_unknown_language_or_zone_is_named(language: str, zone: str) -> None:
    with pytest.raises(RenderError, match=r"customers\.csv"):
        Formats.of(language, zone, "USD")


def test_clean_takes_out_what_prints_nothing_or_turns_text_around() -> None:
    assert clean("a\x1b[31mb\u202ec\u2066d\x00e\u200bf\ng\th") == "a[31mbcdef\ng\th"


def days(*amounts: str) -> list[Day]:
    return [Day(date(2026, 3, n), Decimal(amount), 0, 0) for n, amount in enumerate(amounts, start=1)]


def test_chart_stays_inside_its_frame_and_above_its_axis() -> None:
    made = chart(days("0", "3.20", "10", "-2"))
    assert made is not None
    axis = made.rules[0].y
    assert [bar.height for bar in made.bars][:1] == [0]
    assert all(
        0 <= bar.x <= bar.x + bar.width <= WIDTH and 0 <= bar.y <= bar.y + bar.height <= HEIGHT
        for bar in made.bars
    )
    assert [bar.y + bar.height == axis for bar in made.bars] == [True, True, True, False]
    assert made.peak.amount == Decimal(10)


def test_nothing_to_see_is_no_chart() -> None:
    assert chart(days("0", "0")) is None
    assert chart([]) is None
