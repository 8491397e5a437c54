"""``markups.csv``: what it gives, and every mistake in it with its line."""

from decimal import Decimal

import pytest

from pipeline.domain.markup import Markup, MarkupRule
from pipeline.errors import MasterError
from pipeline.masters.files import read_masters


def test_rows_of_one_plan_are_its_rules(tmp_path):
    (tmp_path / "markups.csv").write_text(
        "plan_sid,name,direction,prefix,country_code,percent,floor,decimals,rounding\n"
        "plus,Plus 20,outbound,,,20,0.002,4,up\nplus,,outbound,44,,10,,,\nin,,inbound,,,5,,,\n"
    )

    assert read_masters(tmp_path).markups == (
        Markup(
            "plus",
            "call",
            "outbound",
            "pstn",
            (
                MarkupRule(Decimal(20), floor=Decimal("0.002"), decimals=4, rounding="up"),
                MarkupRule(Decimal(10), prefix="44"),
            ),
            "Plus 20",
        ),
        Markup("in", "call", "inbound", "pstn", (MarkupRule(Decimal(5)),), "in"),
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("plus,sideways,,20,,", "markups.csv:2: direction is 'sideways'"),
        ("plus,outbound,,-100,,", "markups.csv:2: percent is -100: nothing would be left"),
        ("plus,outbound,,20,0.5,0.1", "markups.csv:2: cap is 0.1, below the floor 0.5"),
        ("plus,outbound,,20,-1,", "markups.csv:2: floor is -1; a price is not negative"),
        (
            "plus,outbound,,20,,\nplus,outbound,,30,,",
            "markups.csv:3: the rule for plus, prefix '', country ''",
        ),
        (
            "plus,outbound,,20,,\nplus,inbound,1,30,,",
            "markups.csv:3: plan_sid 'plus' is for call inbound pstn, and",
        ),
        ("plus,outbound,4x,20,,", "markups.csv:2: prefix is '4x'; valid is digits"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path, rows, said):
    (tmp_path / "markups.csv").write_text(f"plan_sid,direction,prefix,percent,floor,cap\n{rows}\n")
    with pytest.raises(MasterError) as caught:
        read_masters(tmp_path)

    assert said in str(caught.value)
