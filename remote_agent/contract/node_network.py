"""How a node gets to the outside: a proxy, a mirror of the package index and one of the Hub, and what they come to."""

from __future__ import annotations

import dataclasses
from typing import Dict, Mapping
from urllib.parse import urlsplit

NO_PROXY = "localhost,127.0.0.1,::1"
PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
INDEX_NAME, HUB_NAME = "PIP_INDEX_URL", "HF_ENDPOINT"
_MOST = 2000


@dataclasses.dataclass(frozen=True)
class NodeNetwork:
    """Addresses on the web, each empty where the node's own settings are to stand.

    ``proxy`` carries http and https; ``index`` is a package index as pip takes it (PEP 503), ``hub`` a server that
    answers as the Hub does.
    """

    proxy: str = ""
    index: str = ""
    hub: str = ""

    def problem(self) -> str:
        """Return what is wrong in a sentence, empty where nothing is."""
        for what, address in (("proxy", self.proxy), ("package index", self.index), ("Hub", self.hub)):
            if address and not _is_address(address):
                return "The address of the {} has to begin with http:// or https:// and name a host.".format(what)
        for what, address in (("package index", self.index), ("Hub", self.hub)):
            if "@" in urlsplit(address).netloc:
                return "The address of the {} may hold no name and password.".format(what)
        return ""

    def environment(self, present: Mapping[str, str]) -> Dict[str, str]:
        """Return the variables that tell the node's programs; ``present`` are those that are set there.

        What runs on the node itself is never asked through the proxy.
        """
        told: Dict[str, str] = {}
        if self.proxy:
            told.update({name: self.proxy for name in PROXY_NAMES})
            kept = present.get("no_proxy") or present.get("NO_PROXY") or ""
            told["no_proxy"] = told["NO_PROXY"] = ",".join(part for part in (kept, NO_PROXY) if part)
        if self.index:
            told.update({INDEX_NAME: self.index, "UV_DEFAULT_INDEX": self.index})
        if self.hub:
            told[HUB_NAME] = self.hub.rstrip("/")
        return told


def _is_address(text: str) -> bool:
    if len(text) > _MOST or any(char.isspace() or not char.isprintable() for char in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
