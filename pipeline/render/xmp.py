"""What a PDF says about itself for programs: that it is PDF/UA beside PDF/A, and which e-invoice it carries.

XMP has one list of descriptions; ours go into WeasyPrint's own. PDF/A wants every property that it does not know
itself to be declared, hence the extension schemas.
"""

from collections.abc import Iterable
from dataclasses import dataclass

FACTURX = "factur-x.xml"
_END = b"</rdf:RDF>"


@dataclass(frozen=True, slots=True)
class _Schema:
    """A vocabulary: properties as (name, type, category, what it is, value)."""

    name: str
    uri: str
    prefix: str
    properties: tuple[tuple[str, str, str, str, str], ...]


_UA = _Schema(
    "PDF/UA identification schema",
    "http://www.aiim.org/pdfua/ns/id/",
    "pdfuaid",
    (("part", "Integer", "internal", "Part of the PDF/UA standard", "1"),),
)
_FX = _Schema(
    "Factur-X PDFA Extension Schema",
    "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
    "fx",
    (
        ("DocumentFileName", "Text", "external", "Name of the embedded XML invoice file", FACTURX),
        ("DocumentType", "Text", "external", "INVOICE", "INVOICE"),
        ("Version", "Text", "external", "Version of the XML schema of the embedded file", "1.0"),
        ("ConformanceLevel", "Text", "external", "Conformance level of the embedded file", "EN 16931"),
    ),
)


def described(xmp: bytes, names: Iterable[str]) -> bytes:
    """``xmp`` with what it lacks; ``names`` are those of the files in the PDF."""
    schemas = [_UA, _FX] if FACTURX in names else [_UA]
    more = "".join(map(_stated, schemas)) + _declared(schemas)
    start, end, rest = xmp.partition(_END)
    assert end, "WeasyPrint writes its metadata as a list"
    assert _END not in rest, "and as one list only"
    return start + more.encode() + end + rest


def _stated(schema: _Schema) -> str:
    values = "".join(
        f"<{schema.prefix}:{name}>{value}</{schema.prefix}:{name}>" for name, *_, value in schema.properties
    )
    return f'<rdf:Description xmlns:{schema.prefix}="{schema.uri}" rdf:about="">{values}</rdf:Description>'


def _declared(schemas: Iterable[_Schema]) -> str:
    return (
        '<rdf:Description xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" '
        'xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" '
        'xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#" rdf:about=""><pdfaExtension:schemas><rdf:Bag>'
        + "".join(map(_schema, schemas))
        + "</rdf:Bag></pdfaExtension:schemas></rdf:Description>"
    )


def _schema(schema: _Schema) -> str:
    properties = "".join(
        f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
        f"<pdfaProperty:valueType>{kind}</pdfaProperty:valueType>"
        f"<pdfaProperty:category>{category}</pdfaProperty:category>"
        f"<pdfaProperty:description>{text}</pdfaProperty:description></rdf:li>"
        for name, kind, category, text, _ in schema.properties
    )
    return (
        f'<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>{schema.name}</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{schema.uri}</pdfaSchema:namespaceURI>"
        f"<pdfaSchema:prefix>{schema.prefix}</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
