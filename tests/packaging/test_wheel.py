"""The wheel, built from the source archive, is whole: it runs outside the clone and finds what it ships.

It is installed beside the libraries of this environment, so that nothing has to be downloaded.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from decimal import Decimal
from pathlib import Path

import pypdfium2 as pdfium
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("sql", "templates", "data/masters")


def run(*command: str | Path, cwd: Path) -> str:
    """What the command prints; its environment knows nothing of this clone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TOLLBOOK"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=kept,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, and the wheel built from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return out


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a fresh environment that has the wheel."""
    home = tmp_path_factory.mktemp("venv with a space")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    (site / "libraries.pth").write_text(
        sysconfig.get_path("purelib") + "\n"
    )  # not its .pth files: not this clone
    (wheel,) = dist.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(
        *pip,
        "--python",
        python,
        "install",
        "-qq",
        "--no-deps",
        "--no-index",
        "--ignore-installed",
        wheel,
        cwd=home,
    )
    return home / "bin"


def test_the_command_line_starts_anywhere(installed: Path, tmp_path: Path) -> None:
    assert "demo" in run(installed / "tollbook", "--help", cwd=tmp_path)


def test_what_is_shipped_is_found(installed: Path, tmp_path: Path) -> None:
    script = (
        "from pipeline.shipped import checkout, shipped\n"
        f"for name in {SHIPPED!r}:\n"
        "    root = shipped(*name.split('/'))\n"
        "    print(*(f'{name}/{p.relative_to(root).as_posix()}' for p in root.rglob('*') if p.is_file()), sep='\\n')\n"
        "assert checkout() is None\n"
    )
    found = set(run(installed / "python", "-c", script, cwd=tmp_path).split("\n"))
    tracked = {
        path.relative_to(ROOT).as_posix()
        for name in SHIPPED
        for path in (ROOT / name).rglob("*")
        if path.is_file()
    }

    assert tracked - found == set()


def test_the_source_archive_can_be_worked_from(dist: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}

    wanted = (
        "Makefile",
        "LICENSE",
        "README.md",
        "requirements.lock",
        ".ci/setup",
        "tests/packaging/test_wheel.py",
    )
    assert [name for name in wanted if name not in names] == []
    assert [name for name in names if name.startswith(("data/demo", ".venv", "dist"))] == []


def test_the_demo_runs_anywhere(installed: Path, tmp_path: Path) -> None:
    """The journey from the wheel: what is on the PDF is what is in the ledger."""
    home = tmp_path / "a demo"
    said = run(
        *(installed / "tollbook", "demo", "--calls", "100", "--messages", "20", "--home", home), cwd=tmp_path
    )
    ask = "select number, amount_due, invoice_sid from invoice.invoices where number is not null order by all"
    issued = json.loads(run(installed / "tollbook", "--home", home, "sql", "-f", "json", ask, cwd=tmp_path))

    assert "It adds up." in said
    assert len(issued) > 10
    assert [path.name for path in tmp_path.iterdir()] == [home.name]
    for invoice in issued[:3]:
        pages = pages_of(home / "documents" / invoice["invoice_sid"] / "invoice.pdf")
        assert 1 <= len(pages) <= 5
        assert invoice["number"] in pages[0]
        assert f"{Decimal(invoice['amount_due']):,.2f}" in pages[0]


def pages_of(pdf: Path) -> list[str]:
    """The text of each page."""
    document = pdfium.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()
