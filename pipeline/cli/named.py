"""Who is meant: a customer as people call it, by its partner_sid, its name or a part of its name."""

from collections.abc import Mapping

from pipeline.errors import SettingsError

_SHOWN = 8


def partner_named(text: str, names: Mapping[str, str]) -> str:
    """The partner_sid of whom ``text`` names, among these names by partner_sid.

    Raises:
        SettingsError: nobody is called so, or several are.
    """
    if text in names:
        return text
    wanted = text.casefold().strip()
    whole = [sid for sid, name in names.items() if name.casefold() == wanted]
    found = whole or [sid for sid, name in names.items() if wanted and wanted in name.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise SettingsError(
            f"{text!r} is no customer of customers.csv. `tollbook customers list` names them."
        )
    called = "; ".join(f"{names[sid]} {sid}" for sid in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise SettingsError(f"{text!r} may be {called}{more}. Give the partner_sid.")
