"""The nodes of the library as addresses, the same for window and command line. No Qt."""

from __future__ import annotations

import dataclasses
import json
import os

from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.wire import from_wire, to_wire
from studio.remote.command_transport import command_words
from studio.remote.errors import NeedsPerson
from studio.remote.ssh_config import check_host
from studio.remote.transport import NodeAddress
from studio.session.reach import LOCAL_NODE
from studio.state.node import NO_LABELS, Labels
from studio.store.library import Library
from studio.store.rows import LabelRow, NodeRow, node_key


@dataclasses.dataclass(frozen=True)
class KnownNode:
    """A node's address, its last report, None before the first probe, and its place in the address book."""

    address: NodeAddress
    report: NodeReport | None = None
    labels: Labels = NO_LABELS


def known_nodes(library: Library, local: NodeAddress) -> dict[str, KnownNode]:
    """Return all nodes by name, this computer first; on Windows it is no node."""
    labels = library.labels()

    def labelled(node: KnownNode) -> KnownNode:
        label = labels.get(node_key(node.address.name))
        return dataclasses.replace(node, labels=Labels(label.heading, label.tags)) if label is not None else node

    rows = {row.name: labelled(_from_row(row)) for row in library.nodes()}
    here = rows.pop(LOCAL_NODE, None)
    if os.name == "nt":
        return rows
    return {LOCAL_NODE: labelled(KnownNode(local, here.report if here else None)), **rows}


def save_labels(library: Library, name: str, labels: Labels) -> None:
    """Keep a node's group and tags; a probe and another address leave them as they are."""
    library.save_label(LabelRow(node_key(name), labels.group, labels.tags))


def save_node(library: Library, address: NodeAddress, report: NodeReport | None = None) -> None:
    """Keep a node; without a report the last one is kept too where the address is the same.

    A report on a remote node that has another address by now is passed over.
    """
    kept = [row for row in library.nodes() if row.name == address.name]
    is_same = any(_from_row(row).address == address for row in kept)
    if report is not None:
        if kept and not is_same and address.name != LOCAL_NODE:
            return
        text = json.dumps(to_wire(report))
    else:
        text = kept[0].last_report if is_same else ""
    library.save_node(NodeRow(address.name, json.dumps(dataclasses.asdict(address)), text))


def check_address(address: NodeAddress) -> None:
    """Raise ValueError with a sentence where an address cannot be used."""
    if not address.name.strip():
        raise ValueError("The node needs a name.")
    if address.name == LOCAL_NODE:
        raise ValueError(f"{LOCAL_NODE} is there already; choose another name.")
    if address.kind == "ssh" and (not address.host.strip() or address.host.startswith("-")):
        raise ValueError("The node needs a host: a name of your ssh config, a host name or an address.")
    try:
        if address.kind == "ssh":
            check_host(address)
        elif address.kind == "command":
            command_words(address.command)
    except NeedsPerson as error:
        raise ValueError(error.sentence) from None
    problem = address.network.problem()
    if problem:
        raise ValueError(problem)
    if not 0 <= address.port <= 65535:
        raise ValueError(f"{address.port} is no port; ports are 1 to 65535, 0 leaves it to the ssh config.")


def _from_row(row: NodeRow) -> KnownNode:
    fields = {field.name for field in dataclasses.fields(NodeAddress)}
    address = NodeAddress(**{key: value for key, value in json.loads(row.address).items() if key in fields})
    report: NodeReport | None = None
    if row.last_report:
        try:
            report = from_wire(NodeReport, json.loads(row.last_report))
        except ValueError:
            report = None  # of an older layout: the next probe brings another
    return KnownNode(address, report)
