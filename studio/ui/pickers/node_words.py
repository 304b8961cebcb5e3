"""A node's hardware and state in words, the same in every picker and page."""

from __future__ import annotations

from collections import Counter

from remote_agent.contract.node_report import NodeReport
from studio.state.node import NEEDS_PERSON, PROBING, READY, UNKNOWN, UNREACHABLE, NodeState
from studio.ui import words

LINK_ICONS = {
    UNKNOWN: ("circle", "muted"),
    PROBING: ("arrows-clockwise", "info"),
    READY: ("check-circle-fill", "good"),
    UNREACHABLE: ("warning-fill", "warning"),
    NEEDS_PERSON: ("warning-circle-fill", "bad"),
}
"""The Phosphor icon and the theme colour of a node's link."""


def link_word(link: str) -> str:
    """Return the word for a node's link."""
    known = {
        UNKNOWN: words.translated("not asked yet"),
        PROBING: words.translated("being asked"),
        READY: words.translated("ready"),
        UNREACHABLE: words.translated("cannot be reached"),
        NEEDS_PERSON: words.translated("needs you"),
    }
    return known.get(link, link)


def hardware_words(report: NodeReport | None) -> str:
    """Return what a node has to compute with, such as "8 × H100 80GB HBM3" or "2 cores, 7.8 GiB, no GPU"."""
    if report is None:
        return ""
    if report.gpus:
        kinds = Counter(gpu.name.removeprefix("NVIDIA ") for gpu in report.gpus)
        return ", ".join(f"{count} × {name}" for name, count in kinds.items())
    said = (
        words.translated("one core, {memory}, no GPU")
        if report.cores == 1
        else words.translated("{cores} cores, {memory}, no GPU")
    )
    return said.format(cores=report.cores, memory=words.size(report.memory_total_bytes))


def address_words(node: NodeState) -> str:
    """Return where a node is: user, host and port as far as they are given."""
    if node.is_local:
        return words.translated("this computer")
    address = node.address
    if address.kind == "command":
        return address.command
    text = f"{address.user}@{address.host}" if address.user else address.host
    return f"{text}:{address.port}" if address.port else text
