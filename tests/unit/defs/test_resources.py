"""A shift: where the home is found, and what becomes of a step that fails."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipeline.defs import resources
from pipeline.defs.resources import DeskResource, Shift
from pipeline.desk import Desk
from pipeline.errors import BusyError, ForbiddenError, HomeError, TransientError
from pipeline.homes import DEMO_NOW, make_home


@pytest.mark.parametrize(
    ("error", "patient", "raised"),
    [
        (TransientError("the provider is down"), True, dg.RetryRequested),
        (BusyError("another run works here"), True, dg.RetryRequested),
        (TransientError("the provider is down"), False, dg.Failure),
        (ForbiddenError("ask for the scope dids.read"), True, dg.Failure),
        (ZeroDivisionError("a bug"), True, ZeroDivisionError),
    ],
    ids=["transient", "busy", "at a terminal", "forbidden", "not ours"],
)
def test_only_what_may_pass_is_tried_again(
    desk: Desk, error: Exception, patient: bool, raised: type[Exception]
) -> None:
    shift = Shift(desk, patient)

    with pytest.raises(raised), shift.step("land/dids"):
        raise error

    assert shift.failures == {"land/dids": error}


def test_what_breaks_because_a_person_said_stop_is_no_failure(desk: Desk) -> None:
    shift = Shift(desk, stopped=lambda: True)

    with pytest.raises(KeyboardInterrupt), shift.step("measure/statement"):
        raise RuntimeError("Query interrupted")

    assert shift.failures == {}


def test_a_failure_says_our_words_and_is_not_repeated(desk: Desk) -> None:
    with pytest.raises(dg.Failure) as failed, Shift(desk).step("land/dids"):
        raise ForbiddenError("the token lacks a scope: ask for phonenumber.read")

    assert failed.value.description == "the token lacks a scope: ask for phonenumber.read"
    assert not failed.value.allow_retries


def test_a_step_that_ends_well_the_second_time_has_not_failed(desk: Desk) -> None:
    shift = Shift(desk)
    with pytest.raises(dg.RetryRequested), shift.step("land/dids"):
        raise TransientError("down")

    with shift.step("land/dids"):
        pass

    assert shift.failures == {}


def test_the_resource_opens_the_home_it_is_given(home: Path) -> None:
    desk = DeskResource(home=str(home), now="2026-04-03T06:00:00+00:00").open()

    assert (desk.settings.home, desk.now) == (home, datetime(2026, 4, 3, 6, tzinfo=UTC))


def test_a_clone_without_a_home_shows_the_demo_as_of_its_own_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_home(tmp_path / "data" / "demo")
    monkeypatch.setattr(resources, "demo_home", lambda: tmp_path / "data" / "demo")
    monkeypatch.chdir(tmp_path)

    desk = DeskResource().open()

    assert (desk.settings.home, desk.now.isoformat()) == (tmp_path / "data" / "demo", DEMO_NOW)


def test_without_any_home_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "demo_home", lambda: tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(HomeError, match="tollbook init"):
        DeskResource().open()


def test_no_secret_is_in_what_dagster_may_show(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLBOOK_API_TOKEN", "canary-token")
    monkeypatch.setenv("TOLLBOOK_SMTP_URL", "smtps://u:canary-password@mail.example.com")
    resource = DeskResource(home=str(home))
    desk = resource.open()

    assert "canary" not in f"{resource!r} {resource} {desk!r} {Shift(desk)!r}"
