"""Who answers what a supply is taxed: the rules of the master files, or an outside engine that the home names.

An engine is a function ``(Supply) -> Assessment | Unplaced`` (see ``domain.tax``), named as ``module:function``. It is
asked once per draft. What it cannot answer it says with ``Unplaced``, which parks the customer; an exception, or
anything else that comes back, parks the customer too, with the engine's name: a tax is never guessed.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from pipeline.domain.tax import Assessment, Supply, Taxer, Unplaced, assess
from pipeline.errors import SettingsError
from pipeline.masters.model import Masters


def taxer_of(masters: Masters, engine: str = "") -> Taxer:
    """The rules of ``masters``, or the engine of this name.

    Raises:
        SettingsError: there is no such engine.
    """
    if engine:
        return partial(_asked, engine, _loaded(engine))
    return partial(
        assess,
        rules=masters.taxes,
        places=masters.tax_places,
        exemptions=masters.exemptions,
        shares=masters.tax_shares,
    )


def _asked(engine: str, answer: Callable[[Supply], Any], supply: Supply) -> Assessment | Unplaced:
    try:
        found = answer(supply)
    except Exception as error:  # noqa: BLE001  an outside engine may raise anything
        return Unplaced(f"the tax engine {engine} failed: {type(error).__name__}: {error}")
    if isinstance(found, Assessment | Unplaced):
        return found
    return Unplaced(f"the tax engine {engine} answered with {type(found).__name__}, not with an Assessment")


def _loaded(engine: str) -> Callable[[Supply], Any]:
    module, _, name = engine.partition(":")
    try:
        found: object = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        msg = (
            f"tax_engine {engine!r} cannot be loaded ({error}). Write it as package.module:function, importable "
            "from where tollbook runs, or leave it out to use masters/taxes.csv."
        )
        raise SettingsError(msg) from None
    if not callable(found):
        msg = f"tax_engine {engine!r} is no function."
        raise SettingsError(msg)
    return found
