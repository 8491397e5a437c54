"""The text of price steps."""

from decimal import Decimal

import pytest

from pipeline.domain.steps import Step, steps_of, steps_text


def test_steps_come_back_from_their_text():
    steps = (Step(Decimal(60), Decimal("0.005")), Step(Decimal("300.5"), Decimal(0)))

    assert steps_text(steps) == "60:0.005;300.5:0"
    assert steps_of(" 60 : 0.0050; 300.5:0 ") == steps
    assert (steps_text(()), steps_of(""), steps_of(None)) == ("", (), ())


@pytest.mark.parametrize(
    "text",
    ["60", "60:", ":0.1", "a:1", "60:x", "60:NaN", "0:1", "-1:1", "60:1;60:2", "60:1;30:2", "0.0001:1"],
)
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="step"):
        steps_of(text)
