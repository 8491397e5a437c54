"""The closed lists that master data is checked against.

Country and currency codes are ISO 3166-1 alpha-3 (with XKX for Kosovo) and ISO 4217; the tax and item words are
the provider's, so that its invoices and ours can be laid side by side. They are written out here because reading
the masters must stay quick: no library is loaded for a list of words.
"""

COUNTRIES = frozenset(
    """
    ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS
    BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV
    CRI CUB CUW CXR CYM CYP CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM
    GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IDN IMN
    IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE
    LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS
    MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK
    PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR
    SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY
    USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM XKX YEM ZAF ZMB ZWE
    """.split()
)

CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD
    HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD
    LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK
    PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT
    TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()
)

LOOKUP_TYPES = ("did_lookup_carrier", "did_lookup_cnam", "did_lookup_lrn")
PER_USE_TYPES = (
    *LOOKUP_TYPES,
    *("transcription_low", "transcription_average", "transcription_high", "tts"),
)
ITEM_TYPES = ("toll", "toll_free", "bridge", "sms", "mms", "did", *PER_USE_TYPES, "adjustment")

# National taxes (VAT, a federal fund) are `federal`.
JURISDICTIONS = (
    "county",
    "county_local",
    "federal",
    "local",
    "other",
    "state",
    "state_county_local",
    "unincorporated",
)

# A tax on sales without a word of its own here, such as VAT, is a `service_tax`.
TAX_TYPES = frozenset(
    """
    business_and_occupation_tax ca_teleconnect_fund carrier_gross_receipts district_tax
    district_tax_residential e911_tax e911_tax_business e911_tax_pbx_trunk_line e911_tax_residential
    excise_tax fed_telecommunications_relay_service fed_universal_service_fund fed_usf_a_school
    federal_excise_tax franchise_tax license_tax license_tax_business ny_mctd_184a ny_mctd_186c
    optional_telecommunications_infrastructure_maintenance_fee puc_fee sales_tax sales_tax_business
    sales_web_hosting service_tax special_tax state_deaf_and_disabled_fund state_high_cost_fund
    state_poison_control_fund state_universal_service_fund statutory_gross_receipts surcharge
    telecom_relay_surcharge telecommunications_assistance_service_fund
    telecommunications_infrastructure_fund telecommunications_infrastructure_maintenance_fee transit_tax
    trs_business universal_lifeline_telephone_service_charge universal_service_fund_access_trunk_line
    universal_service_fund_business_line utility_users_tax utility_users_tax_business
    """.split()
)

SERVICES = ("call", "message")
DIRECTIONS = ("inbound", "outbound")
APPROVALS = ("automatic", "manual")
TAX_PER = ("number", "line", "invoice")
TAX_SCOPES = ("any", "domestic", "international")
INCREMENT_RULES = ("total", "after_minimum")
BILLABLE_BASES = ("talk", "duration")
MATCH_FIELDS = ("number_dst", "number_dst_transformed", "number_dst_original")
ROUNDING_MODES = ("half_up", "half_even", "up", "down")
