"""Bundles and tiers: the SQL and the reference draw the same on random months, and neither draws what is not there."""

import random
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.domain.allowances import Charge
from tests.spec.allowances import START, Drawn, Month, Terms, bundle, connection, fast, reference, tier

SEEDS = st.integers(0, 2**32 - 1)
BOUNDED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
STEPS = (
    "0:-10%",
    "60:-5%;200:-12.5%;1000:-100%",
    "50.5:33.3333%;51:-7%",
    "0:0.05;300:0.0313",
    "120:0.07;600:0",
)


@pytest.fixture(scope="module")
def invoicing(tmp_path_factory):
    with connection(tmp_path_factory.mktemp("lake")) as found:
        yield found


def terms_of(r: random.Random) -> Terms:
    def scope() -> dict:
        return {
            "service": r.choice(("call", "call", "message")),
            "direction": r.choice(("", "", "outbound")),
            "countries": r.choice(((), (), ("DEU",), ("DEU", "FRA"))),
            "prefixes": r.choice(((), (), ("49",), ("49", "331"))),
            "items": r.choice(((), (), ("toll", "sms"))),
            "per": r.choice(("customer", "customer", "number")),
            "start": r.choice((None, None, START + timedelta(days=9))),
            "end": r.choice((None, None, START + timedelta(days=20))),
            "partner": r.choice(("*", "shop", "other")),
            "order": r.randint(0, 2),
        }

    bundles = [
        bundle(f"b{n}", f"{r.choice((1, 7, 60, 250, 900))}", **scope()) for n in range(r.randint(0, 3))
    ]
    tiers = []
    for n in range(r.randint(0, 3)):
        rule, money = r.choice(("marginal", "retroactive")), r.random() < 0.3
        more: dict = {"measure": "amount"} if money else {"unit": Decimal(r.choice((1, 6, 60)))}
        steps = r.choice(STEPS[:3]) if money else r.choice(STEPS)
        tiers.append(tier(f"{'money' if money else 't'}{n}", steps, rule=rule, **more, **scope()))
    return Terms(bundles, tiers)


def charge_of(r: random.Random, sid: str, before: Charge | None) -> Charge:
    """A random record; a newer revision of ``before`` keeps its instant and its service."""
    message = before.service == "message" if before else r.random() < 0.3
    usage = Decimal(r.randint(1, 9)) if message else Decimal(r.randint(1, 400_000)) / 1000
    unit, price = Decimal(1 if message else r.choice((1, 60))), Decimal(r.randint(0, 10**7)) / 10**9
    fee = Decimal(0) if message else Decimal(r.choice((0, 0, 3, 100))) / 1000
    decimals = r.choice((10, 10, 4, 2))
    exact = fee + price * usage / unit if r.random() < 0.8 else Decimal(r.randint(0, 900)) / 100
    if r.random() < 0.1:
        usage = exact = Decimal(0)
    return Charge(
        source="carrierx",
        dr_sid=sid,
        at=before.at if before else START + timedelta(seconds=r.randint(0, 31 * 86_400 - 1)),
        service="message" if message else "call",
        direction=r.choice(("outbound", "inbound")),
        item_type=r.choice(("sms", "mms") if message else ("toll", "toll_free")),
        country_code=r.choice(("DEU", "FRA", None)),
        number=r.choice(("4930", "3312", "1212", "")),
        own_number=r.choice(("101", "102", "")),
        usage=usage.quantize(Decimal("0.001")),
        amount=exact.quantize(Decimal(1).scaleb(-decimals)),
        price=price,
        unit=unit,
        fee=fee,
        rounding_mode=r.choice(("half_up", "half_even", "up", "down")),
        rounding_decimals=decimals,
    )


def rounds_of(r: random.Random) -> list[list[Charge]]:
    """What three invoices take: new records, late ones, and newer revisions of earlier ones."""
    known: dict[str, Charge] = {}
    rounds = []
    for n in range(3):
        again = r.sample(sorted(known), min(len(known), 6))
        sids = [*again, *(f"{n}-{i:02}" for i in range(r.randint(0, 14)))]
        taken = [charge_of(r, sid, known.get(sid)) for sid in sids]
        r.shuffle(taken)
        known |= {c.dr_sid: c for c in taken}
        if taken:
            rounds.append(taken)
    return rounds


def played(engine, terms: Terms, rounds: Sequence[Sequence[Charge]]) -> list[Drawn]:
    month = Month()
    for taken in rounds:
        month.drawn += engine(terms, taken, month)
    return month.drawn


@BOUNDED
@given(SEEDS)
def test_the_engines_agree_invoice_by_invoice_whatever_the_order_of_the_records(invoicing, seed):
    r = random.Random(seed)
    terms, rounds = terms_of(r), rounds_of(r)
    other = [r.sample(taken, len(taken)) for taken in rounds]

    assert played(lambda *given: fast(*given, *invoicing), terms, other) == played(reference, terms, rounds)


@settings(max_examples=150, deadline=None, database=None)
@given(SEEDS)
def test_nothing_is_drawn_that_is_not_there_and_drawing_twice_changes_nothing(seed):
    r = random.Random(seed)
    terms, rounds = terms_of(r), rounds_of(r)
    month = Month(played(reference, terms, rounds))
    last = {c.dr_sid: c for taken in rounds for c in taken}
    room = {("bundle", b.key): b.quantity for b in terms.bundles}

    assert [pool for pool, used in month.used().items() if used < 0 or used > room.get(pool[:2], used)] == []
    for sid, charge in last.items():
        drawn = sum((d.quantity for d in month.held(sid) if d.kind == "bundle"), Decimal(0))
        assert drawn <= charge.usage
    # Once everything has had the chance to take what corrections gave back.
    month.drawn += reference(terms, list(last.values()), month)
    assert reference(terms, list(last.values()), month) == []
