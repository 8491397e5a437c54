"""Tells a person: when a run fails, and when nothing has landed for hours.

Add here who is told and how. By e-mail and webhook where the settings name them, else by a file in the home's
``alerts`` folder. Texts are our own error messages with every secret of the settings struck out; no tracebacks, they
may quote what they were given. See https://docs.dagster.io/guides/automate/sensors/run-status-sensors.
"""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import dagster as dg

from pipeline.defs.resources import the_home
from pipeline.errors import DeliveryError, TollbookError
from pipeline.settings import Settings, load

STALE_AFTER = timedelta(hours=3)
_TIMEOUT_SECONDS = 20
_FEEDS = (dg.AssetKey(["land", "calls"]), dg.AssetKey(["land", "messages"]))
_log = logging.getLogger(__name__)


def tell(settings: Settings, subject: str, text: str, now: datetime, *, run: str = "") -> list[str]:
    """Tells whom the settings name, and returns how; a door that does not open is said at the next, not raised."""
    subject = masked(settings, f"tollbook: {subject}").replace("\n", " ")[:200]
    text = masked(settings, text)
    told, refused = [], []
    for name, door, is_set in (
        ("e-mail", _mail, bool(settings.alert_email and settings.smtp_url)),
        ("webhook", _post, bool(settings.alert_webhook)),
    ):
        if not is_set:
            continue
        try:
            door(settings, subject, text, now)
            told.append(name)
        except (OSError, ValueError, TollbookError) as error:
            refused.append(f"({name} could not be told: {masked(settings, str(error))})")
    if not told:
        told.append(str(_write(settings, subject, "\n".join([text, *refused]), now, run)))
    return told


def masked(settings: Settings, text: str) -> str:
    """The text without any secret of the settings."""
    for secret in _secrets(settings):
        text = text.replace(secret, "***")
    return text


def _secrets(settings: Settings) -> list[str]:
    urls = (settings.smtp_url, settings.database_url, settings.alert_webhook)
    passwords = [urlsplit(url).password or "" for url in urls]
    tokens = (settings.api_token, settings.oauth_client_secret, settings.oauth_password)
    others = (settings.callback_secret, settings.fone.token if settings.fone else "")
    held = [*tokens, *others, *urls, *passwords, *(quote(p, safe="") for p in passwords)]
    return sorted({s for s in held if len(s) > 3}, key=len, reverse=True)


def _mail(settings: Settings, subject: str, text: str, now: datetime) -> None:
    from pipeline.deliver.smtp import Mailer, parse_url

    message = EmailMessage()
    message["From"] = settings.from_email or settings.alert_email
    message["To"] = settings.alert_email
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message.set_content(text)
    mailer = Mailer(parse_url(settings.smtp_url), "tollbook", _TIMEOUT_SECONDS)
    try:
        mailer.open()
        outcome = mailer.send(
            message["From"].addresses[0].addr_spec, [settings.alert_email], message.as_bytes(policy=SMTP)
        )
    finally:
        mailer.close()
    if outcome.status != "sent":
        raise DeliveryError(outcome.note)


def _post(settings: Settings, subject: str, text: str, now: datetime) -> None:
    if not settings.alert_webhook.startswith(("https://", "http://")):
        msg = "alert_webhook is no http(s) URL. Mend it in the settings."
        raise DeliveryError(msg)
    # "text" is what the common chat services show.
    body = json.dumps({"subject": subject, "text": f"{subject}\n{text}", "at": now.isoformat()}).encode()
    request = Request(settings.alert_webhook, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        answer.read(1)


def _write(settings: Settings, subject: str, text: str, now: datetime, run: str) -> Path:
    folder = settings.home / "alerts"
    folder.mkdir(exist_ok=True)
    path = folder / f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{run[:8] or 'journey'}.txt"
    path.write_text(f"{subject}\n\n{text}\n", encoding="utf-8")
    _log.error("%s; see %s", subject, path)
    return path


@dg.run_failure_sensor(
    name="on_failure",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=60,
    description="Tells a person that a run failed, at which step and why.",
)
def on_failure(context: dg.RunFailureSensorContext) -> dg.SkipReason:
    """One message per failed run."""
    run, settings = context.dagster_run, load(the_home())
    lines = [*_failed_steps(context.get_step_failure_events()), f"run {run.run_id}"]
    told = tell(settings, f"{run.job_name} failed", "\n".join(lines), datetime.now(UTC), run=run.run_id)
    return dg.SkipReason(f"told by {', '.join(told)}")


def _failed_steps(events: Sequence[dg.DagsterEvent]) -> list[str]:
    lines = []
    for event in events:
        data = event.step_failure_data
        own = data.user_failure_data
        said = (
            own.description if own and own.description else (data.error.message if data.error else "failed")
        )
        lines.append(f"{event.step_key}: {said.strip()}")
    return lines


@dg.sensor(
    name="on_silence",
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description=f"Tells a person once when no records have landed for {STALE_AFTER.total_seconds() / 3600:.0f} hours.",
)
def on_silence(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """One message per silence; switch it on together with the schedules."""
    now = datetime.now(UTC)
    last = last_landing(context.instance)
    if last is None:
        return dg.SkipReason("nothing has landed yet")
    if now - last < STALE_AFTER:
        return dg.SkipReason(f"landed at {last:%Y-%m-%d %H:%M} UTC")
    episode = last.isoformat()
    if context.cursor == episode:
        return dg.SkipReason(f"silent since {last:%Y-%m-%d %H:%M} UTC; told already")
    text = (
        f"Calls and messages last landed at {last:%Y-%m-%d %H:%M} UTC. Are the schedules and the daemon on?"
    )
    told = tell(load(the_home()), "no records are landing", text, now, run="silence")
    context.update_cursor(episode)
    return dg.SkipReason(f"told by {', '.join(told)}")


def last_landing(instance: dg.DagsterInstance) -> datetime | None:
    """When both kinds of records were last landed: the older of the two."""
    events = [instance.get_latest_materialization_event(key) for key in _FEEDS]
    if any(event is None for event in events):
        return None
    return datetime.fromtimestamp(min(event.timestamp for event in events if event), UTC)
