"""Alerts: every door opens, a shut one is said at the next, no secret leaves by any, and no silence is told twice."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from aiosmtpd.controller import Controller

from pipeline.defs import alerts
from pipeline.settings import Settings

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home, api_token="canary-token", from_email="billing@harbor-carrier.example")


class Postbox:
    """Keeps what an SMTP server was given."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@pytest.fixture
def smtp() -> Iterator[tuple[str, Postbox]]:
    box = Postbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    yield f"smtp://127.0.0.1:{server.port}", box
    server.stop()


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    bodies: list[dict[str, str]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks/canary-hook", bodies
    server.shutdown()
    server.server_close()
    thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_an_email_is_sent_to_the_person_of_the_settings(
    settings: Settings, smtp: tuple[str, Postbox]
) -> None:
    url, box = smtp

    told = alerts.tell(
        replace(settings, smtp_url=url, alert_email="ops@example.com"), "land failed", "why", NOW
    )

    assert told == ["e-mail"]
    assert [(m["To"], m["Subject"], m.get_content().strip()) for m in box.messages] == [
        ("ops@example.com", "tollbook: land failed", "why")
    ]


def test_a_webhook_is_told_as_json(settings: Settings, webhook: tuple[str, list[dict[str, str]]]) -> None:
    url, bodies = webhook

    told = alerts.tell(replace(settings, alert_webhook=url), "land failed", "why", NOW)

    assert told == ["webhook"]
    assert bodies == [{
        "subject": "tollbook: land failed",
        "text": "tollbook: land failed\nwhy",
        "at": "2026-04-03T06:00:00+00:00",
    }]  # fmt: skip


def test_with_neither_a_file_is_written_in_the_home(settings: Settings) -> None:
    (told,) = alerts.tell(settings, "land failed", "why", NOW, run="0123456789")

    assert Path(told) == settings.home / "alerts" / "20260403T060000Z-01234567.txt"
    assert Path(told).read_text() == "tollbook: land failed\n\nwhy\n"


@pytest.mark.parametrize(
    "doors",
    [
        {"smtp_url": "smtp://127.0.0.1:{port}", "alert_email": "ops@example.com"},
        {"smtp_url": "nonsense", "alert_email": "ops@example.com"},
        {"alert_webhook": "http://127.0.0.1:{port}/hook"},
        {"alert_webhook": "file:///etc/passwd"},
    ],
    ids=["no mail server", "no mail URL", "no web server", "no web URL"],
)
def test_where_no_door_opens_the_file_says_so(settings: Settings, doors: dict[str, str]) -> None:
    shut = {name: value.replace("{port}", str(free_port())) for name, value in doors.items()}

    (told,) = alerts.tell(replace(settings, **shut), "land failed", "why", NOW)

    assert "could not be told" in Path(told).read_text()


def test_no_secret_is_told(settings: Settings, smtp: tuple[str, Postbox], webhook: tuple[str, list]) -> None:
    held = replace(
        settings,
        database_url="postgresql://u:canary-db%40@db.example/ledger",
        smtp_url=smtp[0],
        alert_email="ops@example.com",
        alert_webhook=webhook[0],
    )
    text = f"header Bearer canary-token; {held.database_url}; password canary-db%40; {held.alert_webhook}"

    alerts.tell(held, f"failed {text}", text, NOW)

    said = f"{smtp[1].messages} {[m.get_content() for m in smtp[1].messages]} {webhook[1]}"
    assert "***" in said
    assert "canary" not in said


def test_a_failed_run_names_the_step_and_the_remedy(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLBOOK_HOME", str(home))
    monkeypatch.setenv("TOLLBOOK_API_TOKEN", "canary-token")

    alerts.on_failure(failed_run(instance).for_run_failure())

    (path,) = (home / "alerts").glob("*.txt")
    said = path.read_text()
    assert "tollbook: nightly failed" in said
    assert "dids: ask for phonenumber.read with ***" in said
    assert "Traceback" not in said


def failed_run(instance: dg.DagsterInstance) -> dg.RunStatusSensorContext:
    @dg.op
    def dids() -> None:
        raise dg.Failure("ask for phonenumber.read with canary-token", allow_retries=False)

    @dg.job
    def nightly() -> None:
        dids()

    result = nightly.execute_in_process(instance=instance, raise_on_error=False)
    return dg.build_run_status_sensor_context(
        sensor_name="on_failure",
        dagster_event=result.get_run_failure_event(),
        dagster_instance=instance,
        dagster_run=result.dagster_run,
    )


def landed(instance: dg.DagsterInstance, *tables: str) -> None:
    for table in tables:
        instance.report_runless_asset_event(dg.AssetMaterialization(["land", table]))


@pytest.mark.parametrize(
    ("tables", "hours", "files"),
    [((), 0, 0), (("calls",), 9, 0), (("calls", "messages"), 2, 0), (("calls", "messages"), 4, 1)],
    ids=["nothing yet", "messages never", "in time", "silent"],
)
def test_silence_is_told(
    tables: tuple[str, ...],
    hours: int,
    files: int,
    home: Path,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOLLBOOK_HOME", str(home))
    monkeypatch.setattr(alerts, "STALE_AFTER", timedelta(hours=3) - timedelta(hours=hours))
    landed(instance, *tables)

    alerts.on_silence(dg.build_sensor_context(instance=instance))

    assert len(list((home / "alerts").glob("*.txt"))) == files


def test_a_silence_is_told_once(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLBOOK_HOME", str(home))
    monkeypatch.setattr(alerts, "STALE_AFTER", timedelta(0))
    landed(instance, "calls", "messages")
    context = dg.build_sensor_context(instance=instance)

    first, second = alerts.on_silence(context), alerts.on_silence(context)
    landed(instance, "calls", "messages")
    third = alerts.on_silence(context)

    assert [r.skip_message.split()[0] for r in (first, second, third)] == ["told", "silent", "told"]
