"""What the terminal does with nodes: list, add, remove, probe."""

from __future__ import annotations

import argparse
import re

from remote_agent.contract.node_folders import FOLDERS
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.wire import to_wire
from studio.cli.desk import Desk, complain, say, say_json
from studio.cli.exit_codes import NEEDS_PERSON, OK
from studio.cli.words import gib
from studio.remote.errors import HostKeyUnknown
from studio.remote.known_hosts import accept_host_key
from studio.remote.transport import NodeAddress
from studio.session.known_nodes import KnownNode, check_address, known_nodes, save_labels, save_node
from studio.state.node import Labels, tags_of

_TARGET = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[0-9A-Fa-f:.%]+\]|[^@:\s]+)(?::(?P<port>\d{1,5}))?\Z")


def list_nodes(arguments: argparse.Namespace, desk: Desk) -> int:
    """List the nodes, all or those of a group or tag, with what the last probe found."""
    nodes = [node for node in known_nodes(desk.library, desk.reach.local_address).values() if _listed(node, arguments)]
    if arguments.json:
        say_json([to_wire(node) for node in nodes])
        return OK
    for node in nodes:
        host = node.address.host or "local"
        found = report_words(node.report) if node.report else "not probed yet"
        labels = "".join(f"  [{label}]" for label in (node.labels.group, *node.labels.tags) if label)
        say(f"{node.address.name:<24} {host:<28} {found}{labels}")
    return OK


def label_node(arguments: argparse.Namespace, desk: Desk) -> int:
    """Put a node into a group and give it tags; what is not named stays, an empty text takes it away."""
    labels = _labels(arguments, desk.node(arguments.name).labels)
    save_labels(desk.library, arguments.name, labels)
    words = ", ".join(filter(None, (labels.group and f"group {labels.group}", ", ".join(labels.tags))))
    say(f"{arguments.name}: {words or 'no group, no tags'}")
    return OK


def place_folders(arguments: argparse.Namespace, desk: Desk) -> int:
    """Let folders of the agent lie elsewhere on a node, where any is named, and say where all of them lie."""
    wanted = dict(text.partition("=")[::2] for text in arguments.place or ())
    unknown = sorted(set(wanted) - set(FOLDERS))
    if unknown:
        raise ValueError(f"{unknown[0]} is no folder that can be placed; there are {', '.join(FOLDERS)}.")
    folders = desk.reach.agent(desk.node(arguments.name).address).place_folders(wanted)
    if arguments.json:
        say_json([to_wire(folder) for folder in folders])
        return OK
    for folder in folders:
        lasts = "outlives a stop" if folder.lasts else "gone when the box stops"
        say(f"{folder.name:<14} {folder.path:<44} {gib(folder.free_bytes)} free, {folder.kind or 'unknown'}, {lasts}")
    return OK


def _listed(node: KnownNode, arguments: argparse.Namespace) -> bool:
    wanted_tags = {tag.casefold() for text in arguments.tag or () for tag in tags_of(text)}
    is_in_group = arguments.group is None or node.labels.group.casefold() == arguments.group.strip().casefold()
    return is_in_group and wanted_tags <= {tag.casefold() for tag in node.labels.tags}


def _labels(arguments: argparse.Namespace, before: Labels) -> Labels:
    group = before.group if arguments.group is None else " ".join(arguments.group.split())
    tags = before.tags if arguments.tag is None else tags_of(",".join(arguments.tag))
    return Labels(group, tags)


def add_node(arguments: argparse.Namespace, desk: Desk) -> int:
    """Keep a node under a name; it is reached with the next probe."""
    found = _TARGET.match(arguments.target)
    if found is None:
        raise ValueError(f"{arguments.target} is no [user@]host[:port].")
    address = NodeAddress(
        name=arguments.name,
        kind="ssh",
        host=found["host"].strip("[]"),
        port=int(found["port"] or 0),
        user=found["user"] or "",
        identity_file=arguments.identity,
        home=arguments.home,
        python=arguments.python,
        jump=arguments.jump,
        program="ssh" if arguments.system_ssh else "",
        proxy=arguments.proxy,
        index=arguments.index,
        hub=arguments.hub,
    )
    check_address(address)
    save_node(desk.library, address)
    save_labels(desk.library, address.name, _labels(arguments, desk.node(address.name).labels))
    say(f"{address.name} is kept; `luthier nodes probe {address.name}` reaches it.")
    return OK


def remove_node(arguments: argparse.Namespace, desk: Desk) -> int:
    """Forget a node; nothing on it is touched."""
    node = desk.node(arguments.name)
    check_address(node.address)
    desk.library.delete_node(arguments.name)
    say(f"{arguments.name} is forgotten; what lies on it stays.")
    return OK


def probe_node(arguments: argparse.Namespace, desk: Desk) -> int:
    """Reach a node and say what it is; an unknown host key is shown, and kept only with its fingerprint given."""
    node = desk.node(arguments.name)
    agent = desk.reach.agent(node.address)
    try:
        report = agent.probe(node.address.python)
    except HostKeyUnknown as question:
        if arguments.accept != question.fingerprint:
            complain(question.sentence)
            complain(f"To accept it: luthier nodes probe {arguments.name!r} --accept {question.fingerprint}")
            return NEEDS_PERSON
        accept_host_key(desk.reach.known_hosts, question)
        desk.reach.forget(node.address)
        report = desk.reach.agent(node.address).probe(node.address.python)
    save_node(desk.library, node.address, report)
    if arguments.json:
        say_json(to_wire(report))
        return OK
    say(f"{arguments.name}: {report_words(report)}")
    for problem in report.problems:
        say(f"  {problem}")
    return OK


def report_words(report: NodeReport) -> str:
    """Return a probe in one line."""
    hardware = f"{len(report.gpus)} × {report.gpus[0].name}" if report.gpus else f"{report.cores} cores, no GPU"
    python = "no Python for the trainer"
    if report.interpreter is not None:
        lacks = f", lacks {', '.join(report.interpreter.missing)}" if report.interpreter.missing else ""
        python = f"Python {report.interpreter.version} ({report.interpreter.path}{lacks})"
    memory, disk = gib(report.memory_available_bytes), gib(report.disk_free_bytes)
    return f"{hardware}, {memory} free memory, {disk} free disk, {python}"
