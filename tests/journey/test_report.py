"""The dashboard: its figures are the tables', its queries can be asked again, and a browser opens it in peace."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest

from pipeline.render.report import ReportWritten, write_report
from pipeline.render.reportdata import Month
from tests.fixtures.pages import Seen
from tests.journey.house import AS_OF, House

MONTH = Month.of("2026-03")
IN_MARCH = "date_stop >= '2026-03-01 00:00:00Z' and date_stop < '2026-04-01 00:00:00Z'"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def written(march: House, target: Path, customer: str | None = None) -> ReportWritten:
    with march.lake() as lake:
        landings = lake.query("select * from measure.landings")
        now = datetime.fromisoformat(AS_OF)
        return write_report(lake, MONTH, landings=landings, customer=customer, target=target, now=now)


@pytest.fixture(scope="module")
def a_customer(march: House) -> str:
    """The customer with the most calls."""
    return march.one("""
        select payer_sid from rate.calls where level = 1 and rating_status = 'rated' group by all order by count(*) desc
        limit 1
    """)


@pytest.fixture(scope="module")
def page(march: House, tmp_path_factory: pytest.TempPathFactory) -> ReportWritten:
    return written(march, tmp_path_factory.mktemp("report") / "march.html")


@pytest.fixture(scope="module")
def customer_page(march: House, a_customer: str, tmp_path_factory: pytest.TempPathFactory) -> ReportWritten:
    return written(march, tmp_path_factory.mktemp("report") / "customer.html", a_customer)


def test_the_month_at_a_glance_is_what_the_tables_say(march: House, page: ReportWritten) -> None:
    [(calls, answered, talked)] = march.rows(f"""
        select count(*), count(*) filter (date_talk < date_stop), sum(epoch_ms(date_stop) - epoch_ms(date_talk))
        from land.calls where {IN_MARCH}
    """)
    [glance] = page.answers["glance"].rows

    assert (glance["calls"], glance["answered"]) == (calls, answered)
    assert glance["talk_seconds"] == Decimal(talked).scaleb(-3)
    assert f"{calls:,}" in Seen(page.path.read_text()).text


def test_revenue_and_cost_are_the_sums_of_the_rated_records(march: House, page: ReportWritten) -> None:
    sums = march.rows(f"""
        select sum(amount) filter (level = 1), sum(amount) filter (level = 0)
        from (
            select level, amount, date_stop from rate.calls
            union all
            select level, amount, date_stop from rate.messages
        )
        where {IN_MARCH}
    """)
    [money] = page.answers["money"].rows

    assert (money["calls"] + money["messages"], money["cost"]) == sums[0]
    assert money["margin"] == money["revenue"] - money["cost"]


@pytest.mark.parametrize("column", ["revenue", "cost"])
def test_days_and_customers_sum_to_the_month(page: ReportWritten, column: str) -> None:
    [money] = page.answers["money"].rows

    assert page.answers["money_days"].total(column) == money[column] - (
        money["drawn"] if column == "revenue" else 0
    )
    assert page.answers["customers"].total(column) == money[column]


@pytest.mark.parametrize("column", ["calls", "answered", "talk_seconds", "messages"])
def test_days_and_customers_have_all_the_traffic(page: ReportWritten, column: str) -> None:
    [glance] = page.answers["glance"].rows

    assert len(page.answers["days"].rows) == 31
    assert page.answers["days"].total(column) == glance[column]
    assert page.answers["customers"].total(column) == glance[column]


def test_every_landed_record_of_the_month_is_accounted_for(march: House, page: ReportWritten) -> None:
    accounted = page.answers["accounted"]

    assert accounted.total("difference") == 0
    assert accounted.total("landed") == march.one(f"""
        select (select count(*) from land.calls where {IN_MARCH})
            + (select count(*) from land.messages where {IN_MARCH.replace("date_stop", "date_insert")})
    """)
    assert page.answers["differences"].rows == ()
    assert "The statement adds up" in page.path.read_text()


def test_a_statement_that_does_not_add_up_is_said_first(march: House, tmp_path: Path) -> None:
    with march.lake() as lake:
        landings = lake.query("select * from measure.landings")
        landings[0]["fresh"] += 1
        now = datetime.fromisoformat(AS_OF)
        made = write_report(
            lake, MONTH, landings=landings, customer=None, target=tmp_path / "r.html", now=now
        )

    assert len(made.answers["differences"].rows) == 2
    assert "The statement does not add up" in made.path.read_text()


def test_the_queries_on_a_page_can_be_asked_again_and_give_its_figures(
    march: House, page: ReportWritten, customer_page: ReportWritten
) -> None:
    for made in (page, customer_page):
        shown = dict(re.findall(r'<pre id="sql-(\w+)"[^>]*>(.*?)</pre>', made.path.read_text(), re.DOTALL))
        assert shown.keys() == made.answers.keys()
        with march.lake() as lake, lake.ask() as ask:
            for name, sql in shown.items():
                answer = ask(unescape(sql))
                rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
                assert rows == list(made.answers[name].rows), name


def test_a_customers_page_has_its_charges_and_nothing_of_ours(
    march: House, a_customer: str, page: ReportWritten, customer_page: ReportWritten
) -> None:
    days, usage = customer_page.answers["customer_days"], customer_page.answers["customer_usage"]
    [mine] = [row for row in page.answers["customers"].rows if row["partner_sid"] == a_customer]
    text = customer_page.path.read_text()

    assert days.total("amount") == usage.total("amount") == mine["revenue"]
    assert (days.total("calls"), days.total("messages")) == (mine["calls"], mine["messages"])
    assert not re.search(
        r"margin|level = 0|side = 'cost'|provider_price",
        re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL),
    )
    others = march.rows("select company_name from land.partners where partner_sid <> ?", [a_customer])
    assert [name for (name,) in others if name and name in text] == []


def test_a_name_is_text_wherever_it_stands(page: ReportWritten) -> None:
    """A customer's name reaches the page as it is written, never as markup."""
    text = page.path.read_text()

    assert "Quartz &amp; Pinewood Architects" in text
    assert "Quartz & Pinewood" not in text


def test_the_command_writes_the_page_and_prints_its_figures(house: House, a_customer: str) -> None:
    told = house.json("report", "--as-of", AS_OF)
    path = house.home / "reports" / "2026-03.html"

    assert (told["month"], told["path"]) == ("2026-03", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert told["figures"]["glance"][0]["calls"] == house.one(
        f"select count(*) from land.calls where {IN_MARCH}"
    )
    done = house.tollbook("report", "2026-03", "--customer", a_customer, "--out", house.home / "one.html")
    assert (done.code, done.out.splitlines()[0]) == (0, str(house.home / "one.html"))
    assert house.tollbook("report", "--customer", "nobody").code == 1
    empty = house.tollbook("report", "2031-01", "--out", house.home / "none.html")
    assert (empty.code, "in this month" in (house.home / "none.html").read_text()) == (0, True)


def test_a_run_writes_the_dashboard_of_the_month(march: House) -> None:
    text = (march.home / "reports" / "2026-03.html").read_text()

    assert "The statement adds up" in text
    assert f"{march.one(f'select count(*) from land.calls where {IN_MARCH}'):,}" in cards(text)


def test_a_page_leads_nowhere_but_to_itself(page: ReportWritten, customer_page: ReportWritten) -> None:
    for made in (page, customer_page):
        text = made.path.read_text()
        ids = re.findall(r'\bid="([^"]+)"', text)
        targets = set(re.findall(r'\b(?:href|src|action)="([^"]*)"', text)) - {"data:,"}

        assert len(ids) == len(set(ids))
        assert {target for target in targets if target[1:] not in ids or target[0] != "#"} == set()
        assert re.findall(r"url\(|@import|<script|\bon\w+=", text) == []


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
class TestInABrowser:
    """What Chromium says of the pages."""

    def test_it_opens_without_an_error_and_without_a_request(
        self, page: ReportWritten, customer_page: ReportWritten, tmp_path: Path
    ) -> None:
        for made in (page, customer_page):
            dom, said, asked = opened(made.path, tmp_path)

            assert said == []
            assert asked == []
            assert cards(dom) == cards(made.path.read_text())
            assert len(cards(dom)) >= 4

    def test_an_error_and_a_request_would_be_seen(self, page: ReportWritten, tmp_path: Path) -> None:
        unruly = tmp_path / "unruly.html"
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.path.read_text())
        unruly.write_text(text + '<img src="http://127.0.0.1:9/x.png"><script>console.error("seen")</script>')
        forbidden = tmp_path / "forbidden.html"
        forbidden.write_text(page.path.read_text() + '<img src="http://127.0.0.1:9/x.png">')

        _, said, asked = opened(unruly, tmp_path)
        assert (any("seen" in line for line in said), asked) == (True, ["http://127.0.0.1:9/x.png"])
        _, said, asked = opened(forbidden, tmp_path)
        assert (any("Content Security Policy" in line for line in said), asked) == (True, [])


def cards(html: str) -> list[str]:
    """The large figures of a page."""
    return re.findall(r'<div class="figure">([^<]+)</div>', html)


def opened(path: Path, folder: Path) -> tuple[str, list[str], list[str]]:
    """The page as the browser has it, the lines of its console, and what it asked the network for.

    What the browser asks on its own account has no origin, and finds no host.
    """
    log = folder / "net.json"
    switches = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
    quiet = ("--disable-background-networking", "--disable-component-update", "--enable-logging=stderr")
    done = subprocess.run(
        [
            str(BROWSER), *switches, *quiet, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--dump-dom", path.as_uri(),
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    events = (event.get("params", {}) for event in json.loads(log.read_text())["events"])
    return (
        done.stdout,
        [line for line in done.stderr.splitlines() if "CONSOLE" in line],
        sorted({e["url"] for e in events if _of_the_page(e)}),
    )


def _of_the_page(event: Mapping[str, object]) -> bool:
    return "url" in event and event.get("initiator", "not an origin") != "not an origin"
