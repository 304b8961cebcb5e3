"""What the terminal does with nodes: list, add, remove, probe."""

from __future__ import annotations

import argparse
import re

from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.wire import to_wire
from studio.cli.desk import Desk, complain, say, say_json
from studio.cli.exit_codes import NEEDS_PERSON, OK
from studio.cli.words import gib
from studio.remote.errors import HostKeyUnknown
from studio.remote.known_hosts import accept_host_key
from studio.remote.transport import NodeAddress
from studio.session.known_nodes import check_address, known_nodes, save_node

_TARGET = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[0-9A-Fa-f:.%]+\]|[^@:\s]+)(?::(?P<port>\d{1,5}))?\Z")


def list_nodes(arguments: argparse.Namespace, desk: Desk) -> int:
    """List the nodes with what the last probe found."""
    nodes = known_nodes(desk.library, desk.reach.local_address)
    if arguments.json:
        say_json([{"address": to_wire(node.address), "report": to_wire(node.report)} for node in nodes.values()])
        return OK
    for name, node in nodes.items():
        host = node.address.host or "local"
        say(f"{name:<24} {host:<28} {report_words(node.report) if node.report else 'not probed yet'}")
    return OK


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
    )
    check_address(address)
    save_node(desk.library, address)
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
