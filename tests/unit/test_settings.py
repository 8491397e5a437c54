"""Settings: where they come from, which one wins, and what is said when one is wrong."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import HomeError, SettingsError
from pipeline.settings import KEYS, Fone, Settings, find_home, load


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No TOLLBOOK_ variable of the machine reaches a test."""
    import os

    for name in [n for n in os.environ if n.startswith("TOLLBOOK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "tollbook.toml").write_text('from_email = "file@example.com"\nsince = 2026-01-01\n')
    return tmp_path


def test_home_is_found_upwards(home: Path) -> None:
    """A command works from any folder of the home."""
    deep = home / "lake" / "land"
    deep.mkdir(parents=True)
    assert find_home(deep) == home


def test_no_home_says_what_to_do(tmp_path: Path) -> None:
    """A wrong working directory must not make a second ledger."""
    with pytest.raises(HomeError, match="tollbook init"):
        find_home(tmp_path)


def test_named_home_must_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TOLLBOOK_HOME that is no home is an error, unless the environment carries the API settings."""
    monkeypatch.setenv("TOLLBOOK_HOME", str(tmp_path))
    with pytest.raises(HomeError, match="tollbook init"):
        find_home()
    monkeypatch.setenv("TOLLBOOK_API_TOKEN", "t")
    assert find_home() == tmp_path


def test_environment_wins_over_dotenv_over_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer to the run, the stronger."""
    from_file = load(home).from_email
    (home / ".env").write_text(
        "# secrets\nTOLLBOOK_FROM_EMAIL='dotenv@example.com'\nTOLLBOOK_API_TOKEN=abc\n"
    )
    from_dotenv = load(home)
    monkeypatch.setenv("TOLLBOOK_FROM_EMAIL", "env@example.com")
    found = [from_file, from_dotenv.from_email, from_dotenv.api_token, load(home).from_email]
    assert found == ["file@example.com", "dotenv@example.com", "abc", "env@example.com"]


def test_values_are_typed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dates, instants and hours arrive as such."""
    monkeypatch.setenv("TOLLBOOK_BILL_FROM", "2026-03-01")
    monkeypatch.setenv("TOLLBOOK_LOOKBACK_HOURS", "30")
    settings = load(home)
    found = (settings.since, settings.bill_from, settings.lookback)
    assert found == (datetime(2026, 1, 1, tzinfo=UTC), date(2026, 3, 1), timedelta(hours=30))


@pytest.mark.parametrize(
    ("name", "value"),
    [("SINCE", "soon"), ("BILL_FROM", "2026-02-30"), ("LOOKBACK_HOURS", "a day"), ("LOOKBACK_HOURS", "0")],
)
def test_impossible_value_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The message says which setting and where it is from."""
    monkeypatch.setenv(f"TOLLBOOK_{name}", value)
    with pytest.raises(SettingsError, match=f"(?i){name}"):
        load(home)


@pytest.mark.parametrize(
    "text", ["from_mail = 'x'", "since = [", "since 2026"], ids=["unknown", "broken", "no equals"]
)
def test_wrong_file_is_named(home: Path, text: str) -> None:
    """A misspelt setting is not silently ignored."""
    (home / "tollbook.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"tollbook\.toml"):
        load(home)


def test_secrets_are_not_in_repr(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs and tracebacks must not carry them."""
    for name in ("API_TOKEN", "SMTP_URL", "DATABASE_URL", "ALERT_WEBHOOK"):
        monkeypatch.setenv(f"TOLLBOOK_{name}", "canary")
    assert "canary" not in repr(load(home))


def test_oauth_credentials_open_a_home_and_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of a token there may be a login that asks for one."""
    monkeypatch.setenv("TOLLBOOK_HOME", str(tmp_path))
    for name in ("client_id", "client_secret", "username", "password"):
        monkeypatch.setenv(f"TOLLBOOK_OAUTH_{name.upper()}", f"my-{name}")

    found = load(find_home())

    assert (found.oauth_client_id, found.oauth_username) == ("my-client_id", "my-username")
    assert (found.oauth_client_secret, found.oauth_password) == ("my-client_secret", "my-password")
    assert "my-client_secret" not in repr(found)
    assert "my-password" not in repr(found)


@pytest.mark.parametrize("text", ["true", "yes", "1", "True"])
def test_private_content_is_stored_only_where_that_is_said(home: Path, monkeypatch, text: str) -> None:
    """The default is not to keep what people wrote to one another."""
    default = load(home).store_private
    monkeypatch.setenv("TOLLBOOK_STORE_PRIVATE", text)
    assert (default, load(home).store_private) == (False, True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("STORE_PRIVATE", "perhaps"),
        ("RETAIN_DAYS", "0"),
        ("RETAIN_DAYS", "x"),
        ("MASK_NUMBERS", "yes"),
        ("MASK_INVOICES", "4"),
    ],
)
def test_privacy_settings_are_not_guessed(home: Path, monkeypatch, name: str, text: str) -> None:
    monkeypatch.setenv(f"TOLLBOOK_{name}", text)
    with pytest.raises(SettingsError, match=name.lower()):
        load(home)


FONE = {"ACCOUNT_SID": "AC-1", "TOKEN": "CANARY", "PROPERTIES": "PR-1=shop, PR-2=mill"}


def fone(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    for name, value in (FONE | changes).items():
        monkeypatch.setenv(f"TOLLBOOK_FONE_{name}", value)


def test_a_second_provider_is_named_whole(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its properties say whose traffic they are."""
    assert load(home).fone is None
    fone(monkeypatch)

    found = load(home).fone

    assert found == Fone(
        "https://api.fonedynamics.com/v2", "AC-1", "CANARY", (("PR-1", "shop"), ("PR-2", "mill"))
    )
    assert "CANARY" not in repr(load(home))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN", ""),
        ("PROPERTIES", ""),
        ("PROPERTIES", "PR-1"),
        ("PROPERTIES", "PR-1=a,PR-1=b"),
        ("PROPERTIES", "=a"),
    ],
    ids=["no token", "no properties", "nobody's", "twice", "no name"],
)
def test_half_a_second_provider_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Messages that belong to nobody would be billed to nobody."""
    fone(monkeypatch, **{name: value})
    with pytest.raises(SettingsError, match=f"fone_{name.lower()}"):
        load(home)


def test_numbers_are_masked_only_where_that_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer sees its own calls whole unless somebody decides otherwise."""
    default = load(home)
    monkeypatch.setenv("TOLLBOOK_MASK_NUMBERS", "hide_last4")
    monkeypatch.setenv("TOLLBOOK_MASK_INVOICES", "keep_last4")
    found = load(home)
    assert [(s.mask_numbers, s.mask_invoices) for s in (default, found)] == [
        ("off", "off"),
        ("hide_last4", "keep_last4"),
    ]


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [("detail_rows", None, 1000), ("detail_rows", "50", 50), ("attached_bytes", "0", 0)],
)
def test_how_much_call_detail_a_document_carries(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: str | None, expected: int
) -> None:
    if given is not None:
        monkeypatch.setenv(f"TOLLBOOK_{name.upper()}", given)
    assert getattr(load(home), name) == expected


@pytest.mark.parametrize(
    ("name", "given"), [("detail_rows", "0"), ("detail_rows", "x"), ("attached_bytes", "-1")]
)
def test_amount_of_call_detail_that_cannot_be_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: str
) -> None:
    monkeypatch.setenv(f"TOLLBOOK_{name.upper()}", given)
    with pytest.raises(SettingsError, match=name):
        load(home)


def test_a_value_that_cannot_be_is_refused_with_what_the_setting_means(home: Path) -> None:
    (home / "tollbook.toml").write_text('bill_from = "1.3.2026"\n', encoding="utf-8")

    with pytest.raises(SettingsError) as refused:
        load(home)

    assert str(refused.value) == (
        f"bill_from is '1.3.2026' in {home / 'tollbook.toml'}: not a value it can have. "
        "bill_from: local date, like 2026-03-01; nothing that ended before it is invoiced."
    )


def test_every_key_reaches_the_settings(tmp_path: Path) -> None:
    """A setting that is offered, and then not read, would be ignored in silence."""
    examples = {
        "since": "2026-01-01",
        "bill_from": "2026-01-01",
        "lookback_hours": "30",
        "store_private": "true",
        "retain_days": "90",
        "mask_numbers": "hide_last4",
        "mask_invoices": "keep_last4",
        "detail_rows": "7",
        "attached_bytes": "8",
        "api_url": "https://api.example.com/core/v2",
        "fone_url": "https://fone.example.com",
        "fone_properties": "p=partner",
    }
    lines = [f'{key.name} = "{examples.get(key.name, "x-" + key.name)}"' for key in KEYS]
    (tmp_path / "tollbook.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    found, default = load(tmp_path), Settings(tmp_path)

    flat = {f.name: getattr(found, f.name) for f in fields(found)}
    untouched = {name for name, value in flat.items() if value == getattr(default, name)}
    assert untouched == {"home", "overlap", "source"}
