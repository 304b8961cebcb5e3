"""What the window says about the link to a node, as a colleague would say it."""

from __future__ import annotations

import math
from typing import Protocol

from studio.ui.words import translated

CONNECTED, STALE, RECONNECTING, NEEDS_PERSON = "connected", "stale", "reconnecting", "needs_person"


class Link(Protocol):
    """The state of a link: times are seconds of one clock; ``since`` is the last moment the node was heard."""

    @property
    def kind(self) -> str:
        """Return connected, stale, reconnecting or needs_person."""

    @property
    def since(self) -> float:
        """Return when the node was last heard."""

    @property
    def next_try_s(self) -> float:
        """Return when the next try comes."""

    @property
    def sentence(self) -> str:
        """Return why, for people."""


def link_sentence(node: str, link: Link | None, seconds_down: float, seconds_to_try: float) -> str:
    """Return a sentence about a link that is not as it should be; empty where there is nothing to say."""
    if link is None or link.kind == CONNECTED:
        return ""
    down = max(0, round(seconds_down))
    if link.kind == STALE:
        return translated("{node} has not answered for {down} s; the run goes on there.").format(node=node, down=down)
    if link.kind == NEEDS_PERSON:
        return translated("The link to {node} needs you; the run goes on there. {reason}").format(
            node=node, reason=link.sentence
        )
    said = translated("The link to {node} is down since {down} s; the run goes on there.").format(node=node, down=down)
    wait = math.ceil(seconds_to_try)
    again = translated("Trying again in {wait} s.").format(wait=wait) if wait > 0 else translated("Trying again now.")
    return f"{said} {again}"
