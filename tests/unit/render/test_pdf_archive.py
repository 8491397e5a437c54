"""The PDF is an archive's: PDF/A-3a with PDF/UA's tags, e-invoice and call detail inside, the same each time."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pipeline.render.pdf import Attached, make_pdf
from tests.fixtures.invoices import ISSUED

pypdf = pytest.importorskip("pypdf", reason="pypdf, which reads the structure of PDFs, is not installed")

PAGE = (
    "<!doctype html><html lang='de'><head><title>Rechnung 1</title><meta name=author content='Nord &amp; Süd'></head>"
    "<body><h1>Rechnung 1</h1><table><tr><th scope=col>Betrag</th></tr><tr><td>1,00</td></tr></table></body></html>"
)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PROPERTIES = {
    "{http://www.aiim.org/pdfua/ns/id/}part": "1",
    "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}DocumentFileName": "factur-x.xml",
    "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}DocumentType": "INVOICE",
    "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}Version": "1.0",
    "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}ConformanceLevel": "EN 16931",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Attached, ...]:
    folder = tmp_path_factory.mktemp("files")
    named = {"calls.csv": "Supplement", "calls.parquet": "Supplement", "factur-x.xml": "Alternative"}
    for name in named:
        (folder / name).write_bytes(f"<{name}/>".encode())
    return tuple(Attached(folder / name, kind, f"About {name}") for name, kind in named.items())


@pytest.fixture(scope="module")
def made(files: tuple[Attached, ...]) -> bytes:
    return make_pdf(PAGE, "0123456789abcdef", files, ISSUED)


@pytest.fixture(scope="module")
def root(made: bytes) -> Any:
    return pypdf.PdfReader(BytesIO(made)).trailer["/Root"]


def metadata(root: Any) -> ET.Element:
    text = root["/Metadata"].get_object().get_data().decode()
    return ET.fromstring(re.sub(r"<\?xpacket[^>]*\?>", "", text))


def test_file_is_tagged_and_says_its_language_title_and_colours(root: Any) -> None:
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("de", True)
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] is not None
    assert [intent["/S"] for intent in root["/OutputIntents"]] == ["/GTS_PDFA1"]
    assert "/StructTreeRoot" in root


def test_metadata_are_one_list_that_claims_archive_access_and_invoice(root: Any) -> None:
    xmp = metadata(root)
    assert len(xmp.findall(f"{RDF}RDF")) == 1
    claimed = next(d for d in xmp.iter(f"{RDF}Description") if any("pdfa/ns/id" in a for a in d.attrib))
    assert {name.rpartition("}")[2]: value for name, value in claimed.attrib.items()} == {
        "about": "",
        "part": "3",
        "conformance": "A",
    }
    assert {name: xmp.find(f".//{name}").text for name in PROPERTIES} == PROPERTIES  # type: ignore[union-attr]


def test_properties_that_the_archive_does_not_know_are_declared(root: Any) -> None:
    spaces = [e.text for e in metadata(root).iter("{http://www.aiim.org/pdfa/ns/schema#}namespaceURI")]
    assert set(spaces) == {name[1:].partition("}")[0] for name in PROPERTIES}


def test_files_inside_are_named_in_order_and_say_what_they_are(
    root: Any, files: tuple[Attached, ...]
) -> None:
    names = root["/Names"]["/EmbeddedFiles"]["/Names"]
    assert list(names[::2]) == [file.name for file in files]
    specs = [spec.get_object() for spec in names[1::2]]
    assert [spec["/AFRelationship"] for spec in specs] == [f"/{file.relationship}" for file in files]
    assert [spec["/EF"]["/F"].get_data() for spec in specs] == [file.path.read_bytes() for file in files]
    assert [spec["/EF"]["/F"]["/Params"]["/ModDate"] for spec in specs] == ["D:20260403060000Z"] * 3
    assert {ref.idnum for ref in root["/AF"]} == {ref.idnum for ref in names[1::2]}


def test_same_files_make_the_same_bytes(made: bytes, files: tuple[Attached, ...]) -> None:
    assert make_pdf(PAGE, "0123456789abcdef", files, ISSUED) == made


def test_without_an_einvoice_none_is_claimed(tmp_path: Path) -> None:
    reader = pypdf.PdfReader(BytesIO(make_pdf(PAGE, "ab")))
    assert "urn:factur-x" not in reader.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
    assert "/EmbeddedFiles" not in reader.trailer["/Root"].get("/Names", {})
