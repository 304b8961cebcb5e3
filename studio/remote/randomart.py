"""A key's fingerprint as a small picture, the same that ``ssh-keygen -lv`` draws, so that eyes can compare it."""

from __future__ import annotations

import hashlib

_WIDTH, _HEIGHT = 17, 9
_MARKS = " .o+=*BOX@%&#/^SE"


def randomart(blob: bytes, title: str) -> str:
    """Return the picture of a public key's blob under a title such as ``ED25519 256``; nine rows and a frame.

    A bishop starts in the middle and takes one diagonal step for every two bits of the SHA-256, lowest first; the mark
    of a square says how often it was there (OpenSSH, sshkey.c, fingerprint_randomart).
    """
    visits = [[0] * _WIDTH for _ in range(_HEIGHT)]
    x, y = _WIDTH // 2, _HEIGHT // 2
    last = len(_MARKS) - 1
    for byte in hashlib.sha256(blob).digest():
        for step in range(4):
            move = byte >> (2 * step)
            x = min(max(x + (1 if move & 1 else -1), 0), _WIDTH - 1)
            y = min(max(y + (1 if move & 2 else -1), 0), _HEIGHT - 1)
            if visits[y][x] < last - 2:
                visits[y][x] += 1
    visits[_HEIGHT // 2][_WIDTH // 2] = last - 1
    visits[y][x] = last
    rows = ["|" + "".join(_MARKS[count] for count in row) + "|" for row in visits]
    return "\n".join([_edge(f"[{title[: _WIDTH - 2]}]"), *rows, _edge("[SHA256]")])


def _edge(title: str) -> str:
    before = (_WIDTH - len(title)) // 2
    return f"+{'-' * before}{title}{'-' * (_WIDTH - len(title) - before)}+"


def key_title(kind: str, blob: bytes) -> str:
    """Return what OpenSSH writes above the picture: the kind in capitals and the key's size in bits."""
    if kind == "ssh-rsa":
        fields = _fields(blob)
        return f"RSA {len(fields[2].lstrip(bytes(1))) * 8}" if len(fields) > 2 else "RSA"
    if kind.startswith("ecdsa-sha2-nistp"):
        return f"ECDSA {kind.removeprefix('ecdsa-sha2-nistp')}"
    return "ED25519 256" if kind == "ssh-ed25519" else kind


def _fields(blob: bytes) -> list[bytes]:
    fields: list[bytes] = []
    while len(blob) >= 4:
        size = int.from_bytes(blob[:4], "big")
        fields.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    return fields
