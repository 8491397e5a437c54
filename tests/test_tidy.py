"""House rules that a linter cannot say; each names the file and the line that breaks it.

``LONG_MODULES`` and ``LONG_FUNCTIONS`` are ratchets: what stands there may shrink, and nothing may be added.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest

import pipeline.errors

ROOT = Path(__file__).resolve().parent.parent
MODULE_LINES = 350
FUNCTION_LINES = 55
LONG_MODULES: frozenset[str] = frozenset()
LONG_FUNCTIONS: frozenset[str] = frozenset()

# Whatever a developer's machine or a mirror of packages is called has no place in the project.
FOREIGN = re.compile(r"/(home|Users|root)/\w|pythonhosted|--(extra-)?index-url|\b(TODO|FIXME|XXX)\b")
TEXT = {".py", ".sql", ".md", ".toml", ".lock", ".j2", ".csv", ".svg", ".html", ".css", ""}


def files(*patterns: str) -> list[Path]:
    return sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()})


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Every dotted name that a module reads, with its line: ``datetime.now``, ``os.environ``, ``float``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute | ast.Name):
            yield ast.unparse(node), node.lineno


MODULES = files("pipeline/**/*.py")
TESTS = files("tests/**/*.py", "benchmarks/**/*.py")
SQL = files("sql/**/*.sql")


def test_every_module_says_what_belongs_there() -> None:
    silent = [place(path, 1) for path in MODULES + TESTS if not ast.get_docstring(tree(path))]

    assert [entry for entry in silent if not entry.startswith("tests/") or "__init__" not in entry] == []


def test_modules_are_short() -> None:
    lengths = {place(path, len(path.read_text(encoding="utf-8").splitlines())): path for path in MODULES}
    long = [entry for entry in lengths if int(entry.rpartition(":")[2]) > MODULE_LINES]

    assert [entry for entry in long if entry.partition(":")[0] not in LONG_MODULES] == []


def test_functions_are_short() -> None:
    long = [
        f"{place(path, node.lineno)} {node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines"
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]

    assert [entry for entry in long if entry.split()[1] not in LONG_FUNCTIONS] == []


def test_public_names_of_the_domain_are_documented() -> None:
    undocumented = [
        f"{place(path, node.lineno)} {node.name}"
        for path in files("pipeline/domain/*.py")
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]

    assert undocumented == []


def test_no_float_touches_the_domain() -> None:
    found = [
        place(path, line)
        for path in files("pipeline/domain/*.py", "pipeline/invoice/*.py", "pipeline/rate/*.py")
        for name, line in calls(path)
        if name == "float"
    ]

    assert found == []


@pytest.mark.parametrize(
    ("names", "may"),
    [
        pytest.param(
            {"os.environ", "os.getenv"}, ("pipeline/settings.py",), id="only settings read the environment"
        ),
        pytest.param(
            {"datetime.now", "datetime.utcnow", "date.today", "time.time"},
            ("pipeline/cli/", "pipeline/defs/", "pipeline/provider/", "pipeline/pull/client.py"),
            id="only the edges ask what time it is",
        ),
    ],
)
def test_one_door(names: set[str], may: tuple[str, ...]) -> None:
    used = [place(path, line) for path in MODULES for name, line in calls(path) if name in names]

    assert [entry for entry in used if not entry.startswith(may)] == []


def test_nothing_foreign_is_mentioned() -> None:
    tracked = files("*", ".ci/*", "[a-z]*/**/*")
    skipped = {"dist", "build", "__pycache__", "demo"}
    found = [
        place(path, number)
        for path in tracked
        if path.suffix in TEXT
        and not skipped & set(path.relative_to(ROOT).parts)
        and path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if FOREIGN.search(line)
    ]

    assert found == []


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sql_opens_with_its_purpose_grain_and_sources(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    header = list(takewhile(lambda line: line.startswith("--"), lines))
    said = [re.sub(r"^-- *", "", line).lower() for line in header]

    assert [bool(said and said[0]), *(any(x.startswith(w) for x in said) for w in ("grain:", "reads:"))] == [
        True
    ] * 3


def test_no_floating_point_in_sql_about_money() -> None:
    inexact = re.compile(r"\b(double|float\d?|real)\b|\bavg\s*\(|(?<!/)/(?!/)|\d[eE][+-]?\d", re.IGNORECASE)
    found = [
        place(path, number)
        for path in files("sql/rate/**/*.sql", "sql/invoice/**/*.sql")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if inexact.search(re.sub(r"'[^']*'", "''", line.partition("--")[0]))
    ]

    assert found == []


def test_every_query_and_template_is_used() -> None:
    """A query is a view, a macro or an example by lying there; any other is named by the code that runs it."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in MODULES + files("templates/**/*"))
    unused = [
        path.relative_to(ROOT).as_posix()
        for path in [*files("sql/[!em]*/**/*.sql"), *files("templates/**/*")]
        if not re.search(rf"\b{re.escape(path.name.partition('.')[0])}\b", source)
    ]

    assert unused == []


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    drawn = re.findall(r"^([ │├└─]*)(\w+(?:Error))\b", pipeline.errors.__doc__ or "", re.MULTILINE)
    depths = {name: len(lead) for lead, name in drawn}
    path: list[str] = []
    parents: dict[str, str] = {}
    for name, depth in depths.items():
        path = [other for other in path if depths[other] < depth]
        if path:
            parents[name] = path[-1]
        path.append(name)

    real = {
        name: cls.__base__.__name__
        for name, cls in vars(pipeline.errors).items()
        if isinstance(cls, type) and cls is not pipeline.errors.TollbookError
    }

    assert parents == real


def test_the_lock_holds_every_dependency_with_its_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE))

    assert {re.split(r"[<>=\[ ]", line)[0] for line in wanted} - pinned == set()
    assert lock.count("--hash=sha256:") >= len(pinned)
    assert re.findall(r"^(?![a-z0-9.-]+==|    |#).+$", lock, re.MULTILINE) == []


def test_the_repository_has_its_front_pages() -> None:
    assert [
        name
        for name in ("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md")
        if not (ROOT / name).is_file()
    ] == []
