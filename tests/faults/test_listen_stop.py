"""``tollbook listen`` that is told to stop: what it has acknowledged is in the ledger."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.journey.warm import ROOT

SENT = 25


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["by the system", "with Ctrl-C"])
def test_a_receiver_that_is_stopped_loses_nothing_that_it_acknowledged(
    tmp_path: Path, how: signal.Signals
) -> None:
    (tmp_path / "tollbook.toml").touch()
    command = [sys.executable, "-m", "pipeline.cli", "--home", str(tmp_path), "listen", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout
        port = int(re.findall(r"http://127.0.0.1:(\d+)", listener.stdout.readline())[0])
        statuses = []
        for n in range(SENT):
            connection = HTTPConnection("127.0.0.1", port)
            connection.request("POST", "/callbacks", json.dumps({"dr_sid": f"call-{n}"}))
            statuses.append(connection.getresponse().status)
            connection.close()
        listener.send_signal(how)
        code = listener.wait()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        kept = ledger.execute("select count(*) from hints").fetchone()[0]
    assert (statuses, kept, code) == ([204] * SENT, SENT, 0)
