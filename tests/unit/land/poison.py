"""Records that break programs, each as the text of one JSON item: what the provider, or a caller, may send one day.

``LANDS`` are odd but sound, ``QUARANTINED`` cannot be landed. Every item but a nameless one has the ``dr_sid``
``poison``; ``@`` stands for the rest of a sound call.
"""

import json

from tests.fixtures.records import call

REST = json.dumps({k: v for k, v in call().items() if k not in ("dr_sid", "user_data")})[1:-1]
TEXTS = (
    "number_src",
    "number_dst",
    "identity",
    "ip_src",
    "sipcallid_src",
    "diversion_dst",
    "stir_orig_id",
    "type",
)
FIVE_MB = "x" * 5_000_000
NINES = "9" * 5_000


def item(**changes: str) -> str:
    """A call with these members as raw JSON; ``None`` leaves one out."""
    members = {
        key: json.dumps(value) for key, value in call("poison").items() if key != "user_data"
    } | changes
    return "{" + ", ".join(f'"{key}": {value}' for key, value in members.items()) + "}"


def without(*names: str) -> str:
    kept = {key: value for key, value in call("poison").items() if key not in names}
    return json.dumps(kept)


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


QUARANTINED = {
    **{f"lone surrogate in {name}": item(**{name: '"a\\ud83d"'}) for name in TEXTS},
    **{f"NUL in {name}": item(**{name: '"a\\u0000b"'}) for name in TEXTS[:4]},
    "lone low surrogate": item(number_src='"\\udc00"'),
    "surrogates the wrong way round": item(number_src='"\\udc00\\ud83d"'),
    "surrogate in an unknown key": item(novelty='"\\ud83d"'),
    "surrogate in a nested unknown key": item(novelty='{"a": ["\\ud83d"]}'),
    "surrogate in a key": item() [:-1] + ', "\\ud83d": 1}',
    "price of 5,000 digits": item(price=NINES),
    "price of 5,000 digits as text": item(price=f'"{NINES}"'),
    "version of 5,000 digits": item(version=NINES),
    "unknown number of 5,000 digits": item(novelty=NINES),
    "nested 20,000 deep": item(novelty=nested(20_000)),
    "objects nested 20,000 deep": item(novelty=nested(20_000, '{"a":', "}").replace(":}", ":1}", 1)),
    "NaN": item(price="NaN"),
    "Infinity": item(duration="Infinity"),
    "minus Infinity": item(duration="-Infinity"),
    "NaN as text": item(price='"NaN"'),
    "Infinity as text": item(price='"Infinity"'),
    "exponent": item(price="1e30"),
    "exponent as text": item(price='"1E+30"'),
    "huge exponent": item(price="1e999999999"),
    "price below zero": item(price='"-1"'),
    "price of minus zero": item(price='"-0"'),
    "duration below zero": item(duration='"-4.2"'),
    "billed duration below zero": item(duration_billing="-60"),
    "thirteen digits before the point": item(price='"1234567890123"'),
    "thirteen digits behind the point": item(rate='"0.1234567890123"'),
    "digits of another script": item(price='"\\u0661\\u0662"'),
    "underscores in a number": item(price='"1_000"'),
    "comma in a number": item(price='"1,5"'),
    "empty price": item(price='""'),
    "price as an object": item(price='{"amount": "1"}'),
    "price as a list": item(price="[1]"),
    "price as a boolean": item(price="true"),
    "number as an object": item(number_src='{"e164": "+15012678830"}'),
    "number as a list": item(number_dst='["15162065451"]'),
    "version beyond 64 bits": item(version=str(2**70)),
    "version as a word": item(version='"two"'),
    "cause beyond 32 bits": item(sipcause=str(2**40)),
    "cause as a fraction": item(sipcause='"200.5"'),
    "boolean as a word": item(stir_identity='"perhaps"'),
    "boolean as a number": item(stir_identity="2"),
    "year 9999": item(date_stop='"9999-12-31T23:59:59.999Z"'),
    "year 0001": item(date_start='"0001-01-01T00:00:00.000Z"'),
    "year 10000": item(date_stop='"10000-01-01T00:00:00.000Z"'),
    "30 February": item(date_talk='"2026-02-30T00:00:00.000Z"'),
    "31 September": item(date_insert='"2024-09-31T23:59:59.000Z"'),
    "leap second": item(date_stop='"2026-03-01T23:59:60.000Z"'),
    "hour 24": item(date_start='"2026-03-01T24:00:00.000Z"'),
    "date as a number": item(date_stop="1772379139"),
    "date as an object": item(date_stop='{"$date": 1}'),
    "empty date": item(date_stop='""'),
    "end before start": item(date_start='"2026-03-01T16:00:00.000Z"'),
    "no sid": without("dr_sid"),
    "sid null": item(dr_sid="null"),
    "sid empty": item(dr_sid='""'),
    "sid as a list": item(dr_sid='["poison"]'),
    "sid as a number": item(dr_sid="17"),
    "sid of 5 MB": item(dr_sid=f'"{FIVE_MB}"'),
    "no partner": without("partner_sid"),
    "partner as an object": item(partner_sid='{"sid": "x"}'),
    "no end": without("date_stop"),
    "5 MB of text": item(number_src=f'"{FIVE_MB}"'),
    "5 MB in an unknown key": item(novelty=f'"{FIVE_MB}"'),
    "broken UTF-8": item(number_src='"\udcff\udcfe"'),
    "control character in a text": item(number_src='"a\nb"'),
    "bad escape": item(number_src='"\\x41"'),
    "a word for an item": '"poison"',
    "a number for an item": "17",
    "null for an item": "null",
    "a list for an item": '["poison"]',
    "an empty item": "{}",
}  # fmt: skip

LANDS = {
    "surrogate in the private text": item(message='"\\ud83d"'),
    "5 MB of private text": item(message=f'"{FIVE_MB}"'),
    "NUL in private data": item(user_data='"a\\u0000b"'),
    "deep private data": item(user_data=nested(20_000)),
    "NaN in private data": item(user_data="[NaN]"),
    "duplicate key": item(price='"9", "price": "0.0025"'),
    "emoji": item(number_src='"\\ud83d\\ude00"'),
    "bidirectional override": item(number_src='"\\u202e123"'),
    "formula": item(number_src='"=cmd()"'),
    "quotes and braces in a text": item(identity='"}],\\"items\\": [{\\"a\\\\"'),
    "quotes in an unknown key": item(novelty='"\\"}{]["'),
    "unknown key": item(novelty='{"a": [1, null]}'),
    "price as a number": item(price="0.0025"),
    "price padded": item(price='" 0.0025 "'),
    "unknown direction": item(direction='"Sideways"'),
    "unknown type": item(type='"hologram"'),
    "unknown originator": item(disconnect_originator='"Proxy"'),
    "null where optional": item(price="null", rate="null", date_talk="null", number_src="null"),
    "sid with odd characters": item(number_dst='"../../etc/passwd"'),
    "number as a whole number": item(number_src="15012678830"),
}
