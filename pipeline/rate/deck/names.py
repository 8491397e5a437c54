"""What other people call the columns of a rate deck, in English, German, French and Spanish.

A name is compared in lower case, without accents and with everything but letters and digits as one blank, so
``Dial-Code`` and ``dial_code`` are one, and so are ``Préfixe`` and ``prefixe``. A name that could mean two things is
not listed: the importer then asks for ``--map``.
"""

import re
from unicodedata import combining, normalize

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
NETWORKS = ("mcc", "mnc", "mccmnc")
NOT_READ = "country_name"
_OTHERS = {
    "prefix": """prefixes|code|codes|dialcode|dial codes|dial code|dialing code|dialling code|dialing codes|
        dial prefix|dialing prefix|dest code|destination code|destination codes|destination prefix|dst prefix|
        dst code|number prefix|phone prefix|breakout|breakouts|breakout code|e164|e 164|dial pattern|dialpattern|
        vorwahl|vorwahlen|zielvorwahl|prafix|praefix|rufnummernprafix|
        prefixe|indicatif|indicatifs|indicatif telephonique|code destination|
        prefijo|prefijos|prefijo destino|prefijo de destino|codigo destino|codigo de destino""",
    "area_code": """area|area codes|city code|city codes|ndc|national code|national destination code|
        ortsvorwahl|ortskennzahl|indicatif regional|indicatif ville|codigo de area|codigo area""",
    "dial_code": """country dial code|country prefix|cc|ctry code|idd|idd code|calling code|country calling code|
        landesvorwahl|landervorwahl|laendervorwahl|landeskennzahl|landerkennzahl|indicatif pays|indicatif du pays|
        prefijo pais|prefijo de pais|prefijo internacional""",
    "npanxx": "npa nxx|npanxxx|npa nxx x|npa|lata npanxx",
    "country_code": """iso|iso code|country iso|iso country|iso country code|alpha 3|iso3|country iso code|
        landercode|landescode|landerkurzel|code pays|code iso|codigo pais|codigo de pais|codigo iso""",
    "country": "land|lander|laender|pays|pais|paises",
    NOT_READ: """destination|destinations|destination name|dest|dest name|description|location|location name|area name|
        country destination|region|name|operator|carrier|network|network name|route|route name|zone name|comment|
        comments|remark|remarks|note|notes|destination type|number type|
        old price|old rate|previous rate|changes from|
        ziel|ziele|zielland|zielname|zielbezeichnung|zielgebiet|bezeichnung|beschreibung|bemerkung|bemerkungen|netz|
        netzbetreiber|betreiber|alter preis|
        libelle|designation|operateur|reseau|commentaire|commentaires|ancien prix|ancien tarif|
        destino|destinos|descripcion|operador|nombre|comentario|comentarios|observaciones|precio anterior""",
    "price": """rate|rates|prices|cost|tariff|new rate|new price|current rate|current price|voice rate|sell rate|
        sell price|buy rate|ppm|termination rate|term rate|
        minutenpreis|neuer preis|verkaufspreis|einkaufspreis|nouveau prix|nouveau tarif|nuevo precio|nueva tarifa""",
    "billing_increment": """billing increments|increment|increments|billing inc|sub interval|subinterval|
        subsequent interval|next interval|next increment|additional increment|interval n|charging interval|
        billing interval|billing block|pulse|sub increment|subsequent increment|interval 2|second interval|
        second increment|billing terms|rounding increment|sub inc|
        taktung|takt|abrechnungstakt|folgetakt|taktung sek|taktung in sekunden|taktung sekunden|
        cadence|increment de facturation|pas de facturation|palier de facturation|
        incremento|incrementos|incremento de facturacion|intervalo de facturacion""",
    "billing_minimum": """minimum duration|min duration|min dur|first interval|initial interval|first increment|
        initial increment|interval 1|min time|minimum time|minimum|min sec|min secs|min seconds|minimum seconds|
        initial period|min length|init inc|
        ersttakt|anfangstakt|mindestdauer|mindesttakt|duree minimum|duree minimale|premier increment|
        duracion minima|primer intervalo|intervalo inicial""",
    "connect_fee": """connection fee|connect charge|connection charge|setup fee|set up fee|setup charge|call setup fee|
        connect cost|connect rate|
        verbindungsentgelt|verbindungsgebuhr|frais de connexion|cout de connexion|frais d etablissement|
        cargo de conexion|coste de conexion|cargo por establecimiento|establecimiento de llamada""",
    "grace_seconds": "grace|grace period|grace time|free seconds",
    "unit_seconds": "unit|rate unit|price unit|per seconds",
    "min_charge": "minimum charge|minimum price|min price",
    "max_charge": "maximum charge|maximum price|max price",
    "effective_date": """effective|effective from|eff date|effective dt|valid from|start date|start|from date|
        date effective|begin date|activation date|date from|effectivedate|new rate effective date|
        gultig ab|gueltig ab|gultig von|gueltig von|gultig seit|gueltig seit|wirksam ab|ab|ab datum|startdatum|beginn|
        date d effet|date effet|date d application|date de debut|date debut|debut|valable a partir du|en vigueur|
        date d entree en vigueur|
        fecha de inicio|fecha inicio|inicio|fecha efectiva|fecha de vigencia|valido desde|vigente desde|desde|
        fecha de entrada en vigor""",
    "end_date": """expiry date|expiry|expiration date|expires|expiration|valid to|valid until|valid till|effective to|
        effective until|to date|stop date|date to|enddate|end|
        gultig bis|gueltig bis|bis|enddatum|ende|date de fin|date fin|fin|date d expiration|valable jusqu au|
        fecha de fin|fecha fin|fecha final|valido hasta|vigente hasta|hasta|fecha de vencimiento""",
    "status": "rate status|state of rate|availability",
    "change": "change type|change status|code change|rate change|action|change code|update type",
    "origin_prefix": """origin|origin code|origin codes|origination|origination prefix|orig prefix|source prefix|
        ani prefix|a number prefix|calling prefix""",
    "jurisdiction": "call jurisdiction|jur",
    "window": "time window|time of day|rate period|time period|tod",
    "mccmnc": "mcc mnc|mcc mnc code|plmn|mccmnc code|imsi prefix",
    "mcc": "mobile country code",
    "mnc": "mobile network code",
    "currency": "ccy|cur|currency code|wahrung|waehrung|devise|monnaie|moneda|divisa",
}
_SYNONYMS = {
    " ".join(name.split()): ours
    for ours, names in _OTHERS.items()
    for name in names.replace("\n", " ").split("|")
}
_OURS = {name.replace("_", " "): name for name in (*COLUMNS, *FOREIGN)}
_FILLERS = frozenset(
    """rate rates price prices cost in the new current voice call termination
    preis preise tarif tarife kosten netto prix tarifs cout ht precio precios tarifa tarifas coste costo neto""".split()
)
_EACH = frozenset("per pro je par por".split())
_LITTLE = _EACH | frozenset("1 a de la le el".split())
_SIGNS = {"\u20ac": "EUR", "\u00a3": "GBP", "\u20b9": "INR"}  # a dollar is that of many countries
_EUROS = {"euro": "EUR", "euros": "EUR"}
_GERMAN = frozenset("preis preise tarif kosten pro je".split())
_PER = {
    "min": 60,
    "mins": 60,
    "minute": 60,
    "minuten": 60,
    "minuto": 60,
    "sec": 1,
    "second": 1,
    "sekunde": 1,
    "seconde": 1,
    "seg": 1,
    "segundo": 1,
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
    bare = "".join(letter for letter in normalize("NFKD", name.casefold()) if not combining(letter))
    return " ".join(re.findall(r"[^\W_]+", bare))


def ours(name: str, currencies: frozenset[str]) -> tuple[str, str, str]:
    """Our column for a name, the unit that the name states and the currency; empty texts where there is none."""
    words = plain(name)
    found = _OURS.get(words) or _SYNONYMS.get(words)
    signed = [code for sign, code in _SIGNS.items() if sign in name]
    if found:
        return found, "", "".join(signed[:1]) if found == "price" else ""
    return _price([*words.split(), *signed], currencies)


def _price(words: list[str], currencies: frozenset[str]) -> tuple[str, str, str]:
    """A price column by what it is made of: ``Rate (USD/min)``, ``Interstate Rate``, ``Preis / Min``."""
    stated = {_EUROS.get(w, w.upper()) for w in words} & currencies
    units = [_PER[w] for w in words if w in _PER]
    rest = [w for w in words if w not in _PER and w not in _LITTLE and _EUROS.get(w, w.upper()) not in stated]
    bare = [w for w in rest if w not in _FILLERS]
    named = bool(len(bare) < len(rest) or stated or (units and _EACH & set(words)))
    ours = "price" if not bare and named else _JURISDICTIONS.get(" ".join(bare), "")
    seconds_or_crowns = "SEK" in stated and _GERMAN & set(words)
    if not ours or len(stated) > 1 or len(units) > 1 or seconds_or_crowns:
        return "", "", ""
    return ours, str(units[0]) if units and units[0] else "", "".join(stated)
