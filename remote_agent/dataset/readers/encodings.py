"""Which encoding a text file has, and its text again as UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import numpy as np

UTF_8 = "utf-8"
_BOMS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"
_CANDIDATES = [
    _WESTERN, "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
_SAMPLE_LINES_BYTES = 1 << 16
_NAMES = {"cp932": "Shift JIS", "cp949": "EUC-KR", "big5": "Big5", "euc_jp": "EUC-JP", "koi8_r": "KOI8-R"}
_C1_HANDLER = "luthier_c1"


def encoding_of(sample: bytes) -> str:
    """Return the codec of a text by a sample of it; UTF-8 also where a few bytes of it are damaged."""
    for bom, encoding in _BOMS:
        if sample.startswith(bom):
            return encoding
    wide = _wide_encoding(sample[:4096])
    if wide:
        return wide
    try:
        sample.decode(UTF_8)
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return UTF_8
        return UTF_8 if _is_damaged_utf8(sample) else _narrow_encoding(sample)
    return UTF_8


def encoding_name(encoding: str) -> str:
    """Return an encoding's name as people know it."""
    if encoding.startswith("cp125"):
        return f"windows-{encoding[2:]}"
    return _NAMES.get(encoding, encoding.upper().replace("_", "-"))


def recoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield a text again as UTF-8, without its byte order mark; what is no character becomes U+FFFD."""
    wide = encoding.startswith("utf")
    decoder = codecs.getincrementaldecoder(encoding)("replace" if wide or encoding != _WESTERN else _C1_HANDLER)
    first = True
    for piece in pieces:
        text = decoder.decode(piece)
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        yield text.encode(UTF_8)
    yield decoder.decode(b"", final=True).encode(UTF_8)


def _is_damaged_utf8(sample: bytes) -> bool:
    """Say whether most characters beyond ASCII are valid: in other encodings hardly any two bytes are one in UTF-8."""
    codes = np.frombuffer(sample.decode(UTF_8, "surrogateescape").encode("utf-32-le", "surrogatepass"), np.uint32)
    damaged = np.count_nonzero((codes >= 0xDC80) & (codes <= 0xDCFF))
    return bool(np.count_nonzero(codes >= 0x80) - damaged > damaged)


def _wide_encoding(head: bytes) -> str:
    """Return the UTF-16 or UTF-32 of a text without byte order mark, by where its zero bytes stand."""
    whole = len(head) // 4 * 4
    zeros = [head[at:whole:4].count(0) for at in range(4)]
    quarter = whole // 4
    if quarter >= 2 and zeros[0] == 0 and zeros[1] > quarter // 2 and zeros[2] == zeros[3] == quarter:
        return "utf-32-le"
    if quarter >= 2 and zeros[3] == 0 and zeros[2] > quarter // 2 and zeros[0] == zeros[1] == quarter:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    least = max(2, quarter // 10)
    if odd >= least and even <= odd // 50 and head[1:2] == b"\0":
        return "utf-16-le"
    if even >= least and odd <= even // 50 and head[0:1] == b"\0":
        return "utf-16-be"
    return ""


def _narrow_encoding(sample: bytes) -> str:
    """Return the encoding of a text that is neither UTF-8 nor wide; Western where nothing speaks for another."""
    from charset_normalizer import from_bytes

    telling = b"\n".join(line for line in sample.splitlines() if not line.isascii())[:_SAMPLE_LINES_BYTES]
    matches = list(from_bytes(telling, cp_isolation=_CANDIDATES))
    western = next((match for match in matches if _WESTERN in match.could_be_from_charset), None)
    if not matches:
        return _WESTERN
    best = matches[0]
    is_wide = best.encoding in ("cp932", "euc_jp", "gb18030", "big5", "cp949")
    if best is western or (best.coherence == 0 and not is_wide):
        return _WESTERN
    if western is not None and (western.coherence, -western.chaos) >= (best.coherence, -best.chaos):
        return _WESTERN
    return best.encoding


def _as_control(error: UnicodeError) -> tuple[str, int]:
    # Five bytes stand for nothing in windows-1252; browsers read them as the control characters of latin-1.
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_C1_HANDLER, _as_control)
