"""The nodes by name."""

from __future__ import annotations

from studio.remote.transport import NodeAddress
from studio.state.hosts import Hosts

_BOX = NodeAddress(name="box", kind="ssh", host="box.example")


def _heard(hosts: Hosts) -> list[str]:
    heard: list[str] = []
    hosts.changed.connect(heard.append)
    return heard


def test_that_a_change_of_a_node_names_it_and_a_change_of_the_set_names_none() -> None:
    hosts = Hosts()
    heard = _heard(hosts)
    hosts.put(_BOX)
    hosts.update("box", link="ready")
    hosts.remove("box")
    assert heard == ["", "box", ""]
    assert len(hosts) == 0


def test_that_the_same_again_is_silent() -> None:
    hosts = Hosts()
    hosts.put(_BOX)
    heard = _heard(hosts)
    hosts.put(_BOX)
    hosts.update("box", link="unknown")
    hosts.update("gone", link="ready")
    hosts.remove("gone")
    assert heard == []


def test_that_another_address_forgets_what_was_known() -> None:
    hosts = Hosts()
    hosts.put(_BOX)
    hosts.update("box", problem="refused")
    hosts.put(NodeAddress(name="box", kind="ssh", host="other.example"))
    assert hosts["box"].problem == ""


def test_that_nodes_keep_the_order_they_came_in() -> None:
    hosts = Hosts()
    for name in ("c", "a", "b"):
        hosts.put(NodeAddress(name=name))
    assert [node.name for node in hosts] == ["c", "a", "b"]
    assert "a" in hosts
    assert hosts.get("z") is None
