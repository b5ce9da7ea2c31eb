"""Attachments: multipart upload, links to the content; and the PDF and e-mail of a form."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from sandbox.quickbooks_online import operations
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import touch
from sandbox.quickbooks_online.faults import Fault, missing, not_found
from sandbox.quickbooks_online.table import Doc
from sandbox.quickbooks_online.wire import dump, parse_json

LARGEST = 100 * 1024 * 1024
SENDABLE = frozenset({"Invoice", "Estimate", "SalesReceipt", "CreditMemo", "RefundReceipt", "Payment", "PurchaseOrder"})
_NAME = re.compile(rb'name="?([^";\r\n]+)"?')
_FILE = re.compile(rb'filename="?([^";\r\n]+)"?')


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body."""

    name: str
    filename: str | None
    content_type: str
    content: bytes


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """Split a multipart body; bare line feeds are accepted beside CRLF, base64 parts are decoded."""
    match = re.search(r'boundary="?([^";]+)"?', content_type)
    if match is None:
        raise Fault("2010", "Property Name:the upload is not multipart/form-data with a boundary")
    found = []
    for section in body.split(b"--" + match.group(1).strip().encode())[1:]:
        if section.startswith(b"--"):
            break
        text = section.lstrip(b"\r\n")
        gap = re.search(rb"\r?\n[ \t]*\r?\n", text)
        if gap is None:
            continue
        heading, content = text[: gap.start()], text[gap.end() :]
        content = re.sub(rb"\r?\n\Z", b"", content)
        name = _NAME.search(heading)
        if name is None:
            continue
        if re.search(rb"content-transfer-encoding:\s*base64", heading, re.IGNORECASE):
            try:
                content = base64.b64decode(content)
            except binascii.Error:
                raise Fault("2010", "Property Name:a base64 part cannot be decoded") from None
        kind = re.search(rb"content-type:\s*([^\s;]+)", heading, re.IGNORECASE)
        file = _FILE.search(heading)
        found.append(
            Part(
                name.group(1).decode("utf-8", "replace"),
                file.group(1).decode("utf-8", "replace") if file else None,
                kind.group(1).decode("latin-1") if kind else "application/octet-stream",
                content,
            )
        )
    return found


def upload(company: Company, body: bytes, content_type: str, base: str) -> bytes:
    """The encoded answer to ``/upload``: one element for each pair of parts, a Fault where a pair was refused."""
    operations.check_writable(company)
    parts = {part.name: part for part in parts_of(body, content_type)}
    numbers = sorted({name.rpartition("_")[2] for name in parts if name.startswith("file_")})
    if not numbers:
        raise missing("file_content_01")
    answers: list[dict[str, Any]] = []
    for number in numbers:
        try:
            with company.step():
                doc = _stored(company, parts.get(f"file_metadata_{number}"), parts.get(f"file_content_{number}"), base)
            answers.append({"Attachable": doc})
        except Fault as fault:
            answers.append({"Fault": fault.body()})
    return dump({"AttachableResponse": answers, "time": company.clock.envelope()})


def _stored(company: Company, metadata: Part | None, content: Part | None, base: str) -> Doc:
    described: dict[str, Any] = {}
    if metadata is not None:
        described = parse_json(metadata.content)
        if not isinstance(described, dict):
            raise Fault("2010", "Property Name:file_metadata must be an object")
    if content is None:
        raise missing("file_content")
    if len(content.content) > LARGEST:
        raise Fault("6030", "The file is larger than 100 MB")
    described.setdefault("FileName", content.filename or "upload")
    described.setdefault("ContentType", content.content_type)
    doc = operations.save(company, "Attachable", described)
    identifier = doc["Id"]
    company.set_entry(company.files, identifier, content.content)
    facts = {
        "FileAccessUri": f"/v3/company/{company.realm}/download/{identifier}",
        "TempDownloadUri": f"{base}/_sandbox/files/{company.realm}/{identifier}",
        "Size": len(content.content),
    }
    return touch(company, "Attachable", company.tables["Attachable"].rows[identifier].doc, facts, token=False)


def send_mail(company: Company, entity: str, identifier: str, to: str | None) -> Doc:
    """Mark a form as mailed; nothing leaves the machine. Raises 6420 without an address."""
    operations.check_writable(company)
    if entity not in SENDABLE:
        raise operations.unsupported("send", entity)
    doc = company.get(entity, identifier)
    if doc is None:
        raise not_found()
    address = to or (doc.get("BillEmail") or {}).get("Address")
    if not address:
        raise Fault("6420", "The transaction has no e-mail address; give sendTo", "BillEmail")
    if "@" not in address:
        raise Fault("2210", f"{address[:60]} is not an e-mail address", "sendTo")
    changes = {
        "EmailStatus": "EmailSent",
        "BillEmail": {"Address": address},
        "DeliveryInfo": {"DeliveryType": "Email", "DeliveryTime": company.clock.stamp()},
    }
    with company.step():
        changed = touch(company, entity, doc, changes, token=True)
        company.event(entity, identifier, "Emailed")
    return changed


def pdf(company: Company, entity: str, identifier: str) -> bytes:
    """A one-page PDF with the name, number and total of a form."""
    doc = company.get(entity, identifier)
    if doc is None or entity not in SENDABLE:
        raise not_found()
    text = f"{company.settings.name} - {entity} {doc.get('DocNumber', identifier)} - {doc['TotalAmt']}"
    safe = text.encode("latin-1", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    stream = b"BT /F1 12 Tf 72 720 Td (" + safe + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
            b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + table
    return out + b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
