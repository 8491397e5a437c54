"""What other people call the columns of a rate deck.

A name is compared in lower case with everything but letters and digits as one blank, so ``Dial-Code`` and ``dial_code``
are one. A name that could mean two things is not listed: the importer then asks for ``--map``.
"""

import re

COLUMNS = (
    *("prefix", "country_code", "country_name", "billing_increment", "billing_minimum", "price"),
    *("unit_seconds", "connect_fee", "grace_seconds", "increment_rule", "rounding_mode", "rounding_decimals"),
    *("effective_date", "end_date", "status", "service", "direction", "origin_prefix", "jurisdiction"),
    *("mcc", "mnc", "currency", "window", "min_charge", "max_charge", "steps"),
    *("family", "unit_rule", "billable_base", "match_field", "billable_statuses"),
    *("time_zone", "windows", "base_rounding"),
)
PRICES = {
    "price": None,
    "price_interstate": "interstate",
    "price_intrastate": "intrastate",
    "price_local": "local",
    "price_international": "international",
    "price_indeterminate": "indeterminate",
}
# Columns that others have beside ours: parts of a prefix, and what a rate sheet tells about its changes.
FOREIGN = ("dial_code", "area_code", "npanxx", "nxx", "mccmnc", "change", "country", *list(PRICES)[1:])
NOT_READ = "country_name"
_OTHERS = {
    "prefix": """prefixes|code|codes|dialcode|dial codes|dial code|dialing code|dialling code|dialing codes|
        dial prefix|dialing prefix|dest code|destination code|destination codes|destination prefix|dst prefix|
        dst code|number prefix|phone prefix|breakout|breakouts|breakout code|e164|e 164|dial pattern|dialpattern""",
    "area_code": "area|area codes|city code|city codes|ndc|national code|national destination code",
    "dial_code": "country dial code|country prefix|cc|ctry code|idd|idd code|calling code|country calling code",
    "npanxx": "npa nxx|npanxxx|npa nxx x|npa|lata npanxx",
    "country_code": "iso|iso code|country iso|iso country|iso country code|alpha 3|iso3|country iso code",
    NOT_READ: """destination|destinations|destination name|dest|dest name|description|location|location name|area name|
        country destination|region|name|operator|carrier|network|network name|route|route name|zone name|comment|
        comments|remark|remarks|note|notes|destination type|number type|
        old price|old rate|previous rate|changes from""",
    "price": """rate|rates|prices|cost|tariff|new rate|new price|current rate|current price|voice rate|sell rate|
        sell price|buy rate|ppm|termination rate|term rate""",
    "billing_increment": """billing increments|increment|increments|billing inc|sub interval|subinterval|
        subsequent interval|next interval|next increment|additional increment|interval n|charging interval|
        billing interval|billing block|pulse|sub increment|subsequent increment|interval 2|second interval|
        second increment|billing terms|rounding increment|sub inc""",
    "billing_minimum": """minimum duration|min duration|min dur|first interval|initial interval|first increment|
        initial increment|interval 1|min time|minimum time|minimum|min sec|min secs|min seconds|minimum seconds|
        initial period|min length|init inc""",
    "connect_fee": """connection fee|connect charge|connection charge|setup fee|set up fee|setup charge|call setup fee|
        connect cost|connect rate""",
    "grace_seconds": "grace|grace period|grace time|free seconds",
    "unit_seconds": "unit|rate unit|price unit|per seconds",
    "min_charge": "minimum charge|minimum price|min price",
    "max_charge": "maximum charge|maximum price|max price",
    "effective_date": """effective|effective from|eff date|effective dt|valid from|start date|start|from date|
        date effective|begin date|activation date|date from|effectivedate|new rate effective date""",
    "end_date": """expiry date|expiry|expiration date|expires|expiration|valid to|valid until|valid till|effective to|
        effective until|to date|stop date|date to|enddate|end""",
    "status": "rate status|state of rate|availability",
    "change": "change type|change status|code change|rate change|action|change code|update type",
    "origin_prefix": """origin|origin code|origin codes|origination|origination prefix|orig prefix|source prefix|
        ani prefix|a number prefix|calling prefix""",
    "jurisdiction": "call jurisdiction|jur",
    "window": "time window|time of day|rate period|time period|tod",
    "mccmnc": "mcc mnc|mcc mnc code|plmn|mccmnc code|imsi prefix",
    "mcc": "mobile country code",
    "mnc": "mobile network code",
    "currency": "ccy|cur|currency code",
}
_SYNONYMS = {
    " ".join(name.split()): ours
    for ours, names in _OTHERS.items()
    for name in names.replace("\n", " ").split("|")
}
_OURS = {name.replace("_", " "): name for name in (*COLUMNS, *FOREIGN)}
_FILLERS = frozenset("rate rates price prices cost in the new current voice call termination".split())
_PER = {
    "min": 60,
    "mins": 60,
    "minute": 60,
    "sec": 1,
    "second": 1,
    "sms": 0,
    "message": 0,
    "msg": 0,
    "segment": 0,
}
_JURISDICTIONS = {
    "inter": "price_interstate",
    "interstate": "price_interstate",
    "inter state": "price_interstate",
    "intra": "price_intrastate",
    "intrastate": "price_intrastate",
    "intra state": "price_intrastate",
    "indeterminate": "price_indeterminate",
    "indeterm": "price_indeterminate",
    "indeter": "price_indeterminate",
    "ij": "price_indeterminate",
    "undetermined": "price_indeterminate",
}


def plain(name: str) -> str:
    """A name as it is compared."""
    return " ".join(re.findall(r"[^\W_]+", name.lower()))


def ours(name: str, currencies: frozenset[str]) -> tuple[str, str, str]:
    """Our column for a name, the unit that the name states and the currency; empty texts where there is none."""
    words = plain(name)
    found = _OURS.get(words) or _SYNONYMS.get(words)
    return (found, "", "") if found else _price(words.split(), currencies)


def _price(words: list[str], currencies: frozenset[str]) -> tuple[str, str, str]:
    """A price column by what it is made of: ``Rate (USD/min)``, ``Interstate Rate``, ``Price / min``."""
    stated = [w.upper() for w in words if w.upper() in currencies]
    units = [_PER[w] for w in words if w in _PER]
    rest = [w for w in words if w not in _PER and w.upper() not in currencies and w not in ("per", "1")]
    bare = [w for w in rest if w not in _FILLERS]
    named = bool(len(bare) < len(rest) or stated or (units and "per" in words))
    ours = "price" if not bare and named else _JURISDICTIONS.get(" ".join(bare), "")
    if not ours or len(stated) > 1 or len(units) > 1:
        return "", "", ""
    return ours, str(units[0]) if units and units[0] else "", stated[0] if stated else ""
