"""What is set of a node's way out reaches all that looks outside there: builds, downloads, probes and the ranks."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_agent.contract.environment_lock import EnvironmentLock
from remote_agent.contract.node_network import NodeNetwork
from remote_agent.run_files.process import marked_processes
from studio.remote.agent import Agent
from studio.remote.errors import AgentFailed
from studio.remote.transport import LocalTransport, NodeAddress
from studio.session.known_nodes import check_address
from tests.supervisor.conftest import Node, wait_until
from tests.support.agent_call import AgentProcess
from tests.support.hub_server import HubModel, hub_for_test
from tests.support.small_lock import SmallLock, serve_small_lock

SET = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "HF_ENDPOINT")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this computer's own settings say nothing."""
    for name in SET:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallLock]:
    served = serve_small_lock(tmp_path / "files")
    try:
        yield served
    finally:
        served.server.shutdown()
        served.server.server_close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    made.end()


def agent_of(home: Path, network: NodeNetwork) -> Agent:
    return Agent(LocalTransport(), str(home), network=network)


def without_addresses(lock: EnvironmentLock, url: str = "") -> EnvironmentLock:
    return dataclasses.replace(
        lock, files=tuple(dataclasses.replace(file, url=url and url + file.name) for file in lock.files)
    )


def test_that_a_node_with_an_index_of_its_own_finds_the_files_of_a_lock_there(small: SmallLock, tmp_path: Path) -> None:
    lock = without_addresses(small.lock)
    index = small.server.address("").replace("/packages/", "/simple/")
    built = agent_of(tmp_path / "home", NodeNetwork(index=index)).build_environment(lock)
    assert built.made and Path(built.path).exists()
    assert sorted(name for name, _ in small.server.asked) == sorted(file.name for file in lock.files)
    del small.server.files["small-1.0-py3-none-any.whl"]
    with pytest.raises(AgentFailed, match=r"The package index at 127\.0\.0\.1 (has no|cannot be asked for) small"):
        agent_of(tmp_path / "other", NodeNetwork(index=index)).build_environment(lock)
    with pytest.raises(AgentFailed, match="has no place in a lock"):
        agent_of(tmp_path / "none", NodeNetwork()).build_environment(lock)


def test_that_builds_go_through_the_nodes_proxy(small: SmallLock, tmp_path: Path) -> None:
    lock = without_addresses(small.lock, "http://files.example/packages/")
    proxy = small.server.address("").replace("/packages/", "")
    built = agent_of(tmp_path / "home", NodeNetwork(proxy=proxy)).build_environment(lock)
    assert built.made
    assert len(small.server.asked) == len(lock.files), "a server that stands for the proxy was asked for every file"


def test_that_models_come_from_the_nodes_hub_and_a_probe_tries_what_is_set(
    node: Node, small: SmallLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": b"weights"}
    with hub_for_test({"org/small": HubModel(files)}, tmp_path / "hf", monkeypatch) as hub:
        monkeypatch.delenv("HF_ENDPOINT")
        index = small.server.address("").replace("/packages/", "/simple/")
        agent = agent_of(node.home, NodeNetwork(index=index, hub=hub.url + "/"))
        path = Path(agent.hub("org/small", python=str(node.python)).path)
        assert (path / "model.safetensors").read_bytes() == b"weights"
        report = agent.probe(str(node.python), wide=True)
        assert report.survey is not None
        assert [(each.host, each.problem) for each in report.survey.reached] == [("127.0.0.1", "")] * 2
    shutil.rmtree(path)


def test_that_the_ranks_of_a_run_know_the_proxy_and_never_ask_themselves_through_it(node: Node) -> None:
    arguments = node.start_arguments({"steps": 100_000}, ranks=1)
    network = {"proxy": "http://proxy.example:3128", "hub": "https://hub.example"}
    with AgentProcess("start", node.home, arguments, node.agent_dir, network=network) as agent:
        assert agent.answer().result["created"] is True
    run = node.run(arguments["run_id"])
    wait_until(lambda: "running" in run.states())
    told = [
        dict(part.split("=", 1) for part in Path(f"/proc/{each.pid}/environ").read_text().split("\0") if "=" in part)
        for each in marked_processes(run.folder.name)
    ]
    assert told
    for environment in told:
        assert environment["HTTPS_PROXY"] == environment["http_proxy"] == "http://proxy.example:3128"
        assert environment["no_proxy"] == "localhost,127.0.0.1,::1"
        assert environment["HF_ENDPOINT"] == "https://hub.example"


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"proxy": "socks5://box:1080"}, "The address of the proxy has to begin with http:// or https://"),
        ({"index": "ftp://files.example"}, "The address of the package index has to begin"),
        ({"hub": "https://"}, "The address of the Hub has to begin"),
        ({"proxy": "http://box:99999999"}, "The address of the proxy has to begin"),
        ({"hub": "https://hub.example\nEVIL=1"}, "The address of the Hub has to begin"),
        ({"index": "https://dana:secret@files.example/simple"}, "may hold no name and password"),
        ({"proxy": 7}, "cannot be read"),
    ],
)
def test_that_an_address_that_is_none_is_refused_here_and_there(
    network: dict[str, str], said: str, tmp_path: Path
) -> None:
    if all(isinstance(value, str) for value in network.values()):
        with pytest.raises(ValueError, match=said):
            check_address(NodeAddress("box", "ssh", "10.0.3.7", **network))  # type: ignore[arg-type]
    with AgentProcess("runs", tmp_path / "home", {}, network=network) as agent:
        answer = agent.answer()
    assert answer.kind == "bad_request" and said in answer.error
