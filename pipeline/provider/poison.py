"""What no record can hold and what no document names: the values that planted calls carry, as raw JSON.

``POISON`` cannot be landed by anybody; ``STRANGE`` is sound, and merely not in the documents.
"""

from msgspec import Raw

_NINES = b"9" * 5_000
POISON: tuple[dict[str, Raw], ...] = (
    {"number_src": Raw(b'"a\\ud83d"')},
    {"number_dst": Raw(b'"a\\u0000b"')},
    {"price": Raw(_NINES)},
    {"novelty": Raw(b"[" * 5_000 + b"]" * 5_000)},
    {"date_start": Raw(b'"2026-02-30T00:00:00.000Z"')},
    {"price": Raw(b"NaN")},
    {"number_src": Raw(b'"' + b"x" * 5_000_000 + b'"')},
    {"partner_sid": Raw(b"null")},
)
STRANGE: tuple[dict[str, Raw], ...] = (
    {"direction": Raw(b'"sideways"')},
    {"type": Raw(b'"hologram"')},
    {"novelty": Raw(b'{"kept": ["as", "it", "is", 1]}')},
    {"disconnect_originator": Raw(b'"BOTH"')},
)
