"""A file that somebody asks for is there whole, or what was there before is."""

import errno
import os
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import QueryError
from pipeline.lake.disk import whole
from pipeline.lake.export import SUFFIXES, save


@pytest.mark.parametrize("before", [None, "as it was"], ids=["nothing there", "a file there"])
def test_a_file_that_fails_halfway_leaves_what_was_there(before: str | None, tmp_path: Path) -> None:
    path = tmp_path / "answer.csv"
    if before is not None:
        path.write_text(before)

    with pytest.raises(OSError, match="No space left") as refused, whole(path) as making:
        making.write_text("half of")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert refused.value.filename == str(path)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == (
        {} if before is None else {path.name: before}
    )


def test_a_file_keeps_its_permissions_and_the_link_that_leads_to_it(tmp_path: Path) -> None:
    kept, link = tmp_path / "kept", tmp_path / "link"
    kept.write_text("old")
    kept.chmod(0o600)
    link.symlink_to(kept)

    with whole(link) as making:
        making.write_text("new")
    assert (kept.read_text(), oct(kept.stat().st_mode & 0o777), link.is_symlink()) == ("new", "0o600", True)


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with whole(pipe) as making:
        assert making == pipe
    assert pipe.is_fifo()


def test_a_folder_that_is_not_there_is_named_by_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "answer.csv"

    with pytest.raises(FileNotFoundError) as refused, whole(path):
        pass
    assert refused.value.filename == str(path)


def test_a_workbook_that_cannot_be_made_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="longer text"):
        save(pa.table({"text": ["x" * 40_000]}), tmp_path / "answer.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_answer_becomes_the_one_file_that_was_asked_for(suffix: str, tmp_path: Path) -> None:
    save(pa.table({"number": [1]}), tmp_path / f"answer{suffix}")

    assert [p.name for p in tmp_path.iterdir() if p.stat().st_size] == [f"answer{suffix}"]
