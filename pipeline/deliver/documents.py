"""What is sent for an invoice: the files that render made, taken only if they are what was issued.

The page must have the hash that the ledger holds; every file must be what the manifest beside it says. So the right
document and the right number leave together, or nothing leaves. The PDF always leaves; what a customer wishes beside
it leaves as far as it fits into ``ATTACHED_BYTES``, file by file: e-invoice, CSV, Parquet.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import DeliveryError

ATTACHED_BYTES = 1_000_000
_PAGE, _PDF, _MAIL = "invoice.html", "invoice.pdf", "email.json"
# What a customer may wish for, in the order in which room is given.
_WISHES = {
    "ubl": ("invoice.ubl.xml",),
    "csv": ("charges.csv", "calls.csv", "messages.csv"),
    "parquet": ("calls.parquet", "messages.parquet"),
}


@dataclass(frozen=True, slots=True)
class Documents:
    """The contents of one e-mail. ``files`` are attached beside the PDF, by name."""

    subject: str
    text: str
    html: str
    pdf: bytes
    pdf_sha256: str
    files: Mapping[str, bytes]


def load(home: Path, invoice: Mapping[str, Any]) -> Documents:
    """The documents of an issued invoice (a row of ``invoices``).

    Raises:
        DeliveryError: one is missing, or is not what was issued.
    """
    folder = home / "documents" / invoice["invoice_sid"]
    manifest = _manifest(folder)
    if manifest is None or manifest["draft"] or not invoice["document_hash"]:
        msg = "its documents are not made yet. Run `tollbook render`."
        raise DeliveryError(msg)
    known = manifest["files"]
    if _PDF not in known:
        msg = "its PDF is not made yet. Run `tollbook doctor` to see what is missing, then `tollbook render`."
        raise DeliveryError(msg)
    page, pdf, mail = (_read(folder / name, known[name]["sha256"]) for name in (_PAGE, _PDF, _MAIL))
    if hashlib.sha256(page).hexdigest() != invoice["document_hash"]:
        msg = f"{folder / _PAGE} is not the page that was issued. Restore it from a backup."
        raise DeliveryError(msg)
    words = json.loads(mail)
    return Documents(
        subject=words["subject"],
        text=words["text"],
        html=words["html"],
        pdf=pdf,
        pdf_sha256=known[_PDF]["sha256"],
        files={name: _read(folder / name, known[name]["sha256"]) for name in _wished(invoice, known)},
    )


def _wished(invoice: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """What the customer wishes for and is there, as far as it fits: an e-mail that is too big is refused whole."""
    wishes = json.loads(invoice["snapshot"])["customer"].get("attachments", ("csv",))
    found, room = [], ATTACHED_BYTES
    for name in (name for wish, names in _WISHES.items() if wish in wishes for name in names):
        if name in known and known[name]["bytes"] <= room:
            room -= known[name]["bytes"]
            found.append(name)
    return found


def _manifest(folder: Path) -> Any:
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _read(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        msg = f"{path} is missing. Run `tollbook render`."
        raise DeliveryError(msg) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        msg = f"{path} is not what was made for this invoice. Remove it and run `tollbook render`."
        raise DeliveryError(msg)
    return content
