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
from studio.store.library import Library
from studio.store.rows import NodeRow


@dataclasses.dataclass(frozen=True)
class KnownNode:
    """A node's address and its last report, None before the first probe."""

    address: NodeAddress
    report: NodeReport | None = None


def known_nodes(library: Library, local: NodeAddress) -> dict[str, KnownNode]:
    """Return all nodes by name, this computer first; on Windows it is no node."""
    rows = {row.name: _from_row(row) for row in library.nodes()}
    here = rows.pop(LOCAL_NODE, None)
    if os.name == "nt":
        return rows
    return {LOCAL_NODE: KnownNode(local, here.report if here else None), **rows}


def save_node(library: Library, address: NodeAddress, report: NodeReport | None = None) -> None:
    """Keep a node; without a report the last one is kept too where the address is the same."""
    text = json.dumps(to_wire(report)) if report is not None else ""
    if report is None:
        same = [row for row in library.nodes() if row.name == address.name and _from_row(row).address == address]
        text = same[0].last_report if same else ""
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
