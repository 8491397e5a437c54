"""A ledger of an earlier release is completed where it lies, and keeps what it holds."""

from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, String, Table, inspect

from pipeline.errors import HomeError
from pipeline.ledger import migrations
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import SCHEMA_VERSION, invoice_taxes, metadata
from tests.fixtures.ledgers import connected, ledger_at, ledger_url

FIRST = (
    "create table meta (key varchar(80) primary key, value text not null)",
    "insert into meta values ('schema_version', '1'), ('partner_sid', 'root')",
    "create table invoice_taxes (invoice_sid varchar(64), line_no integer, rule varchar(80) not null, "
    "name text not null, "
    "jurisdiction varchar(40) not null, type varchar(80) not null, base varchar(60) not null, "
    "rate varchar(60) not null, amount varchar(60) not null, legal_source text not null, "
    "primary key (invoice_sid, line_no))",
    "insert into invoice_taxes values ('one', 1, 'r', 'n', 'state', 'sales_tax', '1', '0.1', '0.10', 's')",
)


def earlier(path: Path) -> str:
    url = ledger_url(path)
    with connected(url) as tx:
        for statement in FIRST:
            tx.exec_driver_sql(statement)
    return url


@pytest.mark.usefixtures("both")
def test_an_earlier_ledger_is_completed_and_keeps_its_rows(tmp_path: Path) -> None:
    earlier(tmp_path)
    ledger = ledger_at(tmp_path)
    with ledger.read() as tx:
        (row,) = tx.execute(invoice_taxes.select())
        tables = set(inspect(tx).get_table_names())
    assert (row.amount, row.method, row.detail) == (row.amount, "percent", "{}")
    assert str(row.amount) == "0.10"
    assert tables >= set(metadata.tables)
    assert ledger.get("schema_version") == str(SCHEMA_VERSION)
    assert ledger.get("partner_sid") == "root"


@pytest.mark.usefixtures("both")
def test_a_completed_ledger_has_the_columns_and_indexes_of_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    earlier(tmp_path)
    shapes = []
    for ledger in (ledger_at(tmp_path), ledger_at(tmp_path / "new")):
        with ledger.read() as tx:
            found = inspect(tx)
            shapes.append(
                {
                    table: (
                        {c["name"] for c in found.get_columns(table)},
                        {i["name"] for i in found.get_indexes(table)},
                    )
                    for table in found.get_table_names()
                }
            )
    assert shapes[0] == shapes[1]


@pytest.mark.usefixtures("both")
def test_a_migration_that_fails_leaves_the_earlier_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = earlier(tmp_path)

    def power_cut(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(migrations, "_complete", power_cut)
    with pytest.raises(SystemExit):
        Ledger.open(url)
    with connected(url) as tx:
        assert sorted(inspect(tx).get_table_names()) == ["invoice_taxes", "meta"]


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    url = earlier(tmp_path)
    with connected(url) as tx:
        tx.exec_driver_sql("update meta set value = '999' where key = 'schema_version'")
    with pytest.raises(HomeError, match="Install the newer tollbook"):
        Ledger.open(url)


def test_a_new_column_must_suit_older_rows(tmp_path: Path) -> None:
    table = Table("invoice_taxes", MetaData(), Column("needed", String(3), nullable=False))
    ledger = ledger_at(tmp_path)
    with ledger.transaction() as tx, pytest.raises(ValueError, match="needs a server_default"):
        migrations._complete(tx, table)
