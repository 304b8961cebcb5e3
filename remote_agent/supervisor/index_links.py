"""Where an index has the files of a package: its page is read as PEP 503 lays it down."""

from __future__ import annotations

import html.parser
import re
import urllib.request
from typing import Dict, List, Optional, Tuple
from urllib.parse import unquote, urljoin, urlsplit

TIMEOUT_S = 30.0
MOST_BYTES = 64 << 20


def file_links(index: str, package: str) -> Dict[str, str]:
    """Return the addresses of a package's files by their names.

    Raises:
        OSError: the index does not answer, or not with such a page.
    """
    address = "{}/{}/".format(index.rstrip("/"), re.sub(r"[-_.]+", "-", package).lower())
    request = urllib.request.Request(address, headers={"Accept": "text/html"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 http and https alone, checked
        page, at = answer.read(MOST_BYTES).decode("utf-8", "replace"), answer.geturl()
    links = _Links()
    links.feed(page)
    found: Dict[str, str] = {}
    for link in links.found:
        target = urljoin(at, link).partition("#")[0]
        if target.startswith(("https://", "http://")):
            found[unquote(urlsplit(target).path.rsplit("/", 1)[-1])] = target
    return found


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: List[str] = []

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]
