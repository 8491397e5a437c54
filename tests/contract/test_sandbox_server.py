"""The sandbox as a server: in a thread, in a process that ends with its parent, and answers that break off."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pipeline.provider.faults import Faults
from pipeline.provider.server import SandboxError, start_background
from pipeline.provider.world import World, WorldConfig

ROOT = Path(__file__).resolve().parents[2]
SMALL = WorldConfig(seed=2, calls=50, messages=10, partners=3, days=2)


def get(url: str, token: str = "secret") -> httpx.Response:
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False)


def test_process_and_thread_serve_the_same_bytes() -> None:
    with (
        start_background(SMALL, "secret") as one,
        start_background(World(SMALL), "secret", process=False) as two,
    ):
        answers = [get(f"{sandbox.url}/calls/call_drs?limit=50") for sandbox in (one, two)]
        truths = [get(f"{sandbox.admin_url}/truth").json()["visible"] for sandbox in (one, two)]

    items = [answer.json()["items"] for answer in answers]
    assert items[0] == items[1]
    assert len(items[0]) == 50
    assert truths[0] == truths[1]
    assert one.url.endswith("/core/v2")


def test_a_stopped_sandbox_answers_no_more() -> None:
    sandbox = start_background(SMALL, "secret", process=False)
    assert get(sandbox.url + "/oauth/whoami").status_code == 200

    sandbox.stop()
    sandbox.stop()

    with pytest.raises(httpx.ConnectError):
        get(sandbox.url + "/oauth/whoami")


def test_a_port_in_use_is_named() -> None:
    with start_background(SMALL, "secret", process=False) as sandbox:
        port = httpx.URL(sandbox.url).port
        assert port is not None
        with pytest.raises(SandboxError, match=f"127.0.0.1:{port}"):
            start_background(SMALL, "secret", port=port, process=False)


def test_the_process_ends_with_its_parent() -> None:
    program = (
        "import os, sys\n"
        "from pipeline.provider.server import start_background\n"
        "from pipeline.provider.world import WorldConfig\n"
        "sandbox = start_background(WorldConfig(calls=5, messages=5, partners=1, days=1), 'secret')\n"
        "sys.stdout.write(sandbox.url)\n"
        "sys.stdout.flush()\n"
        "os._exit(0)\n"
    )
    url = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    with pytest.raises((httpx.ConnectError, httpx.RemoteProtocolError)):
        for _ in range(100):
            get(url + "/oauth/whoami")


def test_truncated_answers_break_off() -> None:
    config = WorldConfig(
        seed=2, calls=50, messages=10, partners=3, days=2, faults=Faults.parse("truncated=1")
    )

    with start_background(config, "secret", process=False) as sandbox:
        with pytest.raises(httpx.RemoteProtocolError):
            get(f"{sandbox.url}/calls/call_drs")
        assert get(f"{sandbox.admin_url}/clock").status_code == 200


def test_partners_are_printed_for_those_who_write_master_data() -> None:
    program = [sys.executable, "-m", "pipeline.provider", "--partners-json"]
    listed = json.loads(subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True).stdout)

    assert [entry["index"] for entry in listed] == list(range(25))
    assert listed[0]["partner_sid"] == listed[1]["parent_sid"]


def test_an_unknown_fault_is_refused_on_the_command_line() -> None:
    program = [sys.executable, "-m", "pipeline.provider", "--faults", "earthquakes=1"]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "late_inserts" in ended.stderr
