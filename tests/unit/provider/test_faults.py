"""The text form of faults."""

import pytest

from pipeline.provider.faults import FaultError, Faults


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", Faults()),
        ("late_inserts=0.02", Faults(late_inserts=0.02)),
        (" version_bumps=25 , http_500=0.01,", Faults(version_bumps=25, http_500=0.01)),
        ("forbidden=calls+dids,slow=0.5", Faults(forbidden="calls+dids", slow=0.5)),
    ],
)
def test_parse(text: str, faults: Faults) -> None:
    assert Faults.parse(text) == faults


@pytest.mark.parametrize("faults", [Faults(), Faults(late_inserts=0.02, wrong_charges=7, forbidden="calls")])
def test_text_and_repr_lead_back(faults: Faults) -> None:
    assert Faults.parse(str(faults)) == faults
    assert eval(repr(faults)) == faults


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("earthquakes=1", "the known ones are late_inserts, version_bumps"),
        ("version_bumps=many", "version_bumps cannot be 'many'"),
        ("version_bumps=0.5", "version_bumps cannot be"),
        ("http_500", "http_500 cannot be ''"),
        ("http_500=2", "between 0 and 1"),
        ("forbidden=call", "no resource is called 'call'; known are calls, messages"),
        ("wrong_charges=-1", "less than zero times"),
    ],
)
def test_what_is_no_fault_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        Faults.parse(text)


def test_every_fault_is_documented() -> None:
    assert [name for name, doc in Faults.known().items() if len(doc) < 20] == []
