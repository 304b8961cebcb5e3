"""Secrets' values struck out of what is printed: byte for byte, so that offsets into a log keep their meaning."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import urllib.parse
from typing import Any, Iterable, List, Mapping, Set, Tuple

SHORTEST = 6
"""Values below this length are not struck out: they would take half of any text with them."""

_NAME = re.compile(
    r"(HF_TOKEN|HUGGING_FACE_HUB_TOKEN|WANDB_API_KEY|MLFLOW_TRACKING_(TOKEN|USERNAME|PASSWORD)"
    r"|LUTHIER_SECRET_[A-Z0-9_]{1,40})\Z"
)
_ESCAPE = re.compile(r"%[0-9A-F]{2}")


def is_secret_name(name: str) -> bool:
    """Say whether a variable of the ranks' environment holds a secret."""
    return _NAME.match(name) is not None


def secret_values(environment: Mapping[str, str]) -> List[str]:
    """Return the values of an environment's secrets."""
    return [value for name, value in environment.items() if is_secret_name(name)]


def forms_of(value: str) -> Set[bytes]:
    """Return how a value may be printed: itself, as JSON, URL-encoded, and in base64 at any place of a longer text."""
    raw = value.encode("utf-8", "surrogateescape")
    quoted = {urllib.parse.quote(raw, safe=""), urllib.parse.quote(raw), urllib.parse.quote_plus(raw)}
    quoted |= {_ESCAPE.sub(lambda found: found.group().lower(), text) for text in quoted}
    forms = {raw, json.dumps(value)[1:-1].encode("ascii"), *(text.encode("ascii") for text in quoted)}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        forms |= {encode(raw), encode(raw).rstrip(b"=")}
        for before in range(3):
            whole = encode(b"\0" * before + raw)
            # the first and the last characters hold bits of what stands before and behind
            first, spill = (0, 2, 3)[before], (before + len(raw)) % 3
            forms.add(whole.rstrip(b"=")[first:-1] if spill else whole[first:])
    return {form for form in forms if len(form) >= SHORTEST}


class Mask:
    """Strikes the values of secrets out with asterisks, as many as they have bytes."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: Set[bytes] = set()
        self.longest = 0
        self.add(values)

    def __bool__(self) -> bool:
        return bool(self._forms)

    def add(self, values: Iterable[str]) -> bool:
        """Strike further values out from now on; say whether one is new."""
        before = len(self._forms)
        for value in values:
            if len(value) >= SHORTEST:
                self._forms |= forms_of(value)
        if len(self._forms) == before:
            return False
        # the longest first, or a form that begins another would leave the rest of that
        ordered = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(re.escape(form) for form in ordered))
        self.longest = len(ordered[0])
        return True

    def places(self, data: bytes) -> List[Tuple[int, int]]:
        """Return where secrets stand, as start and end."""
        return [found.span() for found in self._pattern.finditer(data)] if self._forms else []

    def struck(self, data: bytes) -> bytes:
        """Return data of the same length without secrets."""
        return self._pattern.sub(lambda found: b"*" * len(found.group()), data) if self._forms else data

    def plain(self, value: Any) -> Any:
        """Return a JSON value whose texts hold no secrets; its keys stay."""
        if isinstance(value, str):
            return self.struck(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
        if isinstance(value, dict):
            return {key: self.plain(item) for key, item in value.items()}
        return [self.plain(item) for item in value] if isinstance(value, (list, tuple)) else value


class MaskedFile(io.FileIO):
    """An open descriptor, written to through a mask; it stays open when this is closed."""

    def __init__(self, descriptor: int, mask: Mask) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._mask = mask

    def write(self, data: Any) -> int:
        """Write bytes and return how many were taken."""
        return super().write(self._mask.struck(bytes(data)))


def masked_text(descriptor: int, mask: Mask) -> io.TextIOWrapper:
    """Return a text stream, flushed at each end of a line, that writes to a descriptor through a mask."""
    buffered = io.BufferedWriter(MaskedFile(descriptor, mask))
    return io.TextIOWrapper(buffered, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def mask_of_environment() -> Mask:
    """Return a mask for the secrets in this process's own environment."""
    return Mask(secret_values(os.environ))
