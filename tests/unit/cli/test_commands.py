"""What the commands print, and how they refuse what cannot be meant."""

import json
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.cli import ask, summary
from pipeline.cli.summary import print_audit
from pipeline.lake.questions import Answer
from pipeline.rate.audit import AuditReport
from tests.journey.house import AS_OF, House, Provider, copy_of
from tests.journey.warm import ROOT, Warm

DECK = ROOT / "data" / "masters" / "decks" / "retail-outbound-2026.csv"


def test_a_quote_needs_no_home_and_gives_its_reasons(warm: Warm, tmp_path: Path) -> None:
    done = warm.tollbook("quote", "+4930901820", "--seconds", "61", "--plan-file", DECK, cwd=tmp_path)

    assert done.code == 0, done.said
    assert "49" in done.out
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_quotes(warm: Warm, tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(
        "number,seconds,at\n+4930901820,61,2026-03-05T10:00:00Z\n+4930901820,0,2026-03-05T10:00:00Z\nabc,1,\n"
    )

    done = warm.tollbook("quote", "--usage", usage, "--plan-file", DECK, cwd=tmp_path)

    header, *rows = (line.split(",") for line in done.out.splitlines())
    assert header == "number,seconds,at,status,reason,matched_prefix,billed_seconds,amount".split(",")
    assert [row[3] for row in rows] == ["rated", "not_billable", "invalid"]


def test_answers_in_every_format(march: House) -> None:
    query = "select 'a,\"b' as text, 1.50::decimal(9, 2) as money, null as nothing"

    csv = march.tollbook("sql", "-f", "csv", query)
    plain = march.tollbook("sql", query)
    shown = march.tollbook("sql", "-f", "json", query)

    assert csv.out == 'text,money,nothing\n"a,""b",1.50,\n'
    assert json.loads(shown.out) == [{"text": 'a,"b', "money": "1.50", "nothing": None}]
    assert plain.out.split() == ["text", "money", "nothing", 'a,"b', "1.50"]


@pytest.mark.parametrize(
    "query",
    [
        "select * from nowhere",
        "copy (select 1) to '/tmp/x.csv'",
        "select * from read_text('/etc/passwd')",
        "attach '/tmp/x.db'",
        "set enable_external_access = true",
        "",
    ],
)
def test_a_question_that_is_wrong_or_reaches_outside_is_refused(march: House, query: str) -> None:
    done = march.tollbook("sql", query)

    assert done.code == 1, done.said
    assert "error:" in done.err
    assert "Traceback" not in done.said


def test_ctrl_c_ends_a_query_that_no_handler_could(monkeypatch: pytest.MonkeyPatch) -> None:
    while_asked = []

    def answer(_query: str) -> Answer:
        while_asked.append(signal.getsignal(signal.SIGINT))
        return Answer(["x"], [(1,)], ["x"])

    before = signal.getsignal(signal.SIGINT)
    ask._run(answer, "select 1 as x", ask.Format.csv, 0)

    assert (while_asked, signal.getsignal(signal.SIGINT)) == ([signal.SIG_DFL], before)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_answer_that_finds_no_room_is_told_without_a_traceback() -> None:
    command = [sys.executable, "-m", "pipeline.cli", "sql", "--examples"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, check=False, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)

    assert (done.returncode, "Traceback" in done.stderr, "No space left" in done.stderr) == (1, False, True)


def test_a_place_that_an_answer_cannot_go_to_is_told_without_a_traceback(
    march: House, tmp_path: Path
) -> None:
    done = march.tollbook("sql", "select 1", "--out", tmp_path / "nowhere" / "one.csv")

    assert (done.code, "Traceback" in done.said) == (1, False)
    assert f"{tmp_path}/nowhere/one.csv: No such file or directory" in done.err


@dataclass
class Place:
    """As much of a desk as says where things lie."""

    home: Path
    smtp_url: str = ""

    @property
    def settings(self) -> "Place":
        return self


def test_the_command_to_copy_is_one_also_where_the_home_has_blanks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(summary, "_ask", lambda _desk, _query: [])

    summary._print_places(Place(Path("/srv/My Büro/home")))

    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("SQL")]
    assert shlex.split(line)[:4] == ["SQL", "tollbook", "--home", "/srv/My Büro/home"]


def test_a_preview_of_nothing_says_so(march: House, tmp_path: Path) -> None:
    done = march.tollbook("deliver", "--preview", tmp_path / "preview")

    assert (done.code, done.out) == (0, "nothing waits to be sent\n")


@pytest.fixture(scope="module")
def untouched(march: House, march_provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A billed month that nothing is to change: what is refused leaves it as it is."""
    return copy_of(march, tmp_path_factory.mktemp("untouched") / "home", march_provider.url)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param("pay HCS-2026-000001 ten", ("ten", "120.50"), id="an amount in words"),
        pytest.param("pay HCS-2026-000001 NaN", ("NaN",), id="no number"),
        pytest.param("pay HCS-2026-000001 1e3", ("1e3",), id="a power of ten"),
        pytest.param("pay nobody 1.00", ("nobody",), id="an unknown payer"),
        pytest.param("approve nothing", ("nothing",), id="an unknown draft"),
        pytest.param("explain nothing", ("nothing",), id="an unknown record"),
        pytest.param("explain HCS-2026-000001/x", ("x", "INVOICE/3"), id="a line that is no number"),
        pytest.param("deliver --resend nothing", ("nothing",), id="an unknown invoice"),
        pytest.param("run --as-of yesterday", ("yesterday", "2026-04-03"), id="an instant in words"),
        pytest.param("plans show nothing", ("nothing", "plans list"), id="an unknown plan"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_remedy(
    untouched: House, arguments: str, words: tuple[str, ...]
) -> None:
    before = untouched.contents()

    done = untouched.tollbook(*arguments.split())

    assert done.code == 1, done.said
    assert "Traceback" not in done.said
    assert [word for word in words if word not in done.err] == []
    assert untouched.contents() == before


def test_wrong_usage_is_exit_code_two(warm: Warm) -> None:
    assert [warm.tollbook(*a).code for a in (("nonsense",), ("run", "--nonsense"), ("pay",))] == [2, 2, 2]


def test_a_home_is_made_once(warm: Warm, tmp_path: Path) -> None:
    made = warm.tollbook("init", tmp_path / "home")
    again = warm.tollbook("init", tmp_path / "home")

    assert made.code == 0, made.said
    assert (tmp_path / "home" / "tollbook.toml").is_file()
    assert (tmp_path / "home" / ".env").stat().st_mode & 0o077 == 0
    assert again.code == 1
    assert "is a home already" in again.err


def test_a_demo_never_takes_somebody_elses_folder(warm: Warm, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work\n")

    done = warm.tollbook("demo", "--fresh", "--calls", "1", "--messages", "1", "--home", tmp_path)

    assert done.code == 1
    assert "is not a demo's home" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_person_approves_and_takes_a_payment(house: House) -> None:
    """A draft gets the next number; a payment lowers what is owed, to the cent."""
    waiting = house.ledger("select count(*) from invoices where number is null")[0][0]
    approved = house.tollbook("approve", "all", "--by", "Ada", "--as-of", "2026-04-03T08:00:00Z")
    paid = house.tollbook("pay", "HCS-2026-000002", "0.01", "--by", "Ada", "--note", "a cent")

    assert waiting > 0
    assert approved.code == 0, approved.said
    assert house.ledger("select count(*) from invoices where number is null") == [(0,)]
    assert paid.code == 0, paid.said
    assert {by for (by,) in house.ledger("select approved_by from invoices")} == {"automatic", "Ada"}
    assert house.statement_differences() == []


def test_without_a_name_approve_lists_the_drafts(house: House) -> None:
    waiting = [sid for (sid,) in house.ledger("select invoice_sid from invoices where number is null")]
    listed = house.tollbook("approve")
    house.tollbook("approve", "all")
    after = house.tollbook("approve")

    assert (listed.code, [sid for sid in waiting if sid not in listed.out]) == (0, []), listed.said
    assert "no draft waits" in after.out


def test_rows_of_customers_are_drafted_also_into_the_file_that_a_shell_has_just_emptied(house: House) -> None:
    """``tollbook customers missing > masters/customers.csv`` empties the file before the command begins."""
    masters = house.home / "masters"
    for path in masters.glob("*.csv"):
        path.unlink()
    (masters / "sellers.toml").write_text('[seller.house]\nname = "House"\n')
    (masters / "customers.csv").write_text("")

    done = house.tollbook("customers", "missing")

    assert done.code == 0, done.said
    assert done.out.startswith("partner_sid,name,seller,time_zone,")
    assert "Ironwood Lathe Works" in done.out


def test_a_credit_says_what_the_account_comes_to(house: House) -> None:
    ((number,), *_) = house.ledger("select number from invoices where number like 'HCS-2026-%'")
    paid = house.tollbook("pay", number, "10000.00")
    done = house.tollbook("credit", number, "--reason", "never used")

    assert (paid.code, done.code) == (0, 0), done.said
    assert "the balance is now -" in done.out
    assert "(negative is credit)" in done.out


def test_a_credit_says_when_its_records_are_billed_again(house: House) -> None:
    ((number,), *_) = house.ledger(
        "select number from invoices join invoice_items using (invoice_sid) where type = 'toll' and kind = 'usage'"
    )
    done = house.tollbook("credit", number, "--rebill", "--reason", "wrong deck", "--as-of", AS_OF)

    assert done.code == 0, done.said
    said = " ".join(done.out.split())
    assert re.search(r"billed again on the invoice for 2026-0[34]-\d\d to 2026-0[45]-\d\d, which", said), said


def test_a_damaged_file_is_told_without_a_traceback(house: House) -> None:
    for path in (house.home / "files" / "rate").glob("calls/*.parquet"):
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(size // 4)
            file.write(b"x" * (size // 4))

    done = house.tollbook("audit")

    assert done.code == 1
    assert "tollbook verify --repair" in done.err
    assert "Traceback" not in done.said


def test_an_audit_of_nothing_agrees_with_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_audit(AuditReport(0, Decimal(0), Decimal(0), 0, {}, (), ()), limit=10, groups=20)
    _, said = capsys.readouterr().out.strip().splitlines()
    assert said == "Nothing is rated yet: `tollbook pull` brings records in, `tollbook rate` rates them."
