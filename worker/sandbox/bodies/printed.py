"""Printable forms of a receipt: HTML, text, PDF and pictures.

Plain, but of the right type; the pictures show a pattern that is the receipt's own and no readable QR code.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from html import escape
from typing import Any

from worker.sandbox.bodies.receipt_body import receipt_body
from worker.sandbox.ledger import Receipt
from worker.sandbox.state import State

_PATTERN = 21


def text(state: State, receipt: Receipt, width: int = 42) -> str:
    body: dict[str, Any] = json.loads(receipt_body(state, receipt, state.clock.now()))
    total = receipt.sums.total + receipt.sums.round_sum
    rows = ["ТЕСТОВИЙ ЧЕК".center(width).rstrip(), "-" * width]
    for item in body["goods"]:
        rows.append(item["good"]["name"][:width])
        label = f"{item['quantity'] / 1000:g} x {_money(item['good']['price'])}"
        rows.append(_row(label, item["sum"], width))
    rows.append("-" * width)
    rows.append(_row("СУМА", total, width))
    rows.extend(_row(payment["label"], payment["value"], width) for payment in body["payments"])
    rows.append(f"ЧЕК ФН {body.get('fiscal_code') or '—'}")
    rows.append(f"ФН ПРРО {receipt.shift.register.fiscal_number}")
    return "\n".join(rows) + "\n"


def html(state: State, receipt: Receipt) -> str:
    return (
        '<!DOCTYPE html><html lang="uk"><head><meta charset="utf-8"><title>Чек</title></head>'
        f"<body><pre>{escape(text(state, receipt))}</pre></body></html>"
    )


def xml(state: State, receipt: Receipt) -> str:
    code = receipt.fiscal_code(state.clock.now()) or ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<CHECK><CHECKHEAD><UID>{receipt.id}</UID><ORDERTAXNUM>{code}</ORDERTAXNUM></CHECKHEAD>"
        f"<CHECKTOTAL><SUM>{_money(receipt.sums.total)}</SUM></CHECKTOTAL></CHECK>"
    )


def pdf(receipt: Receipt) -> bytes:
    """One page that names the receipt; Latin letters only, so that no font is needed."""
    drawing = f"BT /F1 12 Tf 20 100 Td ({receipt.id}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    result = b"%PDF-1.4\n"
    offsets = []
    for number, item in enumerate(objects, start=1):
        offsets.append(len(result))
        result += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return result + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(result))
    )


def png(name: str, scale: int = 4) -> bytes:
    """A black and white pattern made of the id of a receipt or report."""
    bits = int.from_bytes(hashlib.shake_256(name.encode()).digest(_PATTERN * _PATTERN // 8 + 1), "big")
    rows = b""
    for y in range(_PATTERN):
        pixels = b"".join(
            (b"\x00" if bits >> (y * _PATTERN + x) & 1 else b"\xff") * scale for x in range(_PATTERN)
        )
        rows += (b"\x00" + pixels) * scale
    side = _PATTERN * scale
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _money(kopiykas: int) -> str:
    return f"{kopiykas // 100}.{kopiykas % 100:02}"


def _row(label: str, kopiykas: int, width: int) -> str:
    value = _money(kopiykas)
    return label[: max(width - len(value) - 1, 1)].ljust(max(width - len(value), 1)) + value
