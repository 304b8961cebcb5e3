"""A Hub model on the node: fetched by the real client from a small Hub on loopback, pinned, verified, and explained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.supervisor.conftest import Node, is_dead, wait_until
from tests.support.agent_call import AgentProcess, Answer
from tests.support.hub_server import COMMIT, HubModel, HubServer, hub_for_test

REPO = "org/small"
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "chat_template.jinja": b"{{ messages }}",
    "model-00001-of-00002.safetensors": os.urandom(700_000),
    "model-00002-of-00002.safetensors": os.urandom(300_000),
    "model.safetensors.index.json": b"{}",
    "consolidated.safetensors": b"the same once more",
    "pytorch_model.bin": b"pickle",
    "original/params.json": b"{}",
    "README.md": b"# small",
}
FETCHED = sorted(
    name for name in FILES if name not in ("consolidated.safetensors", "pytorch_model.bin", "README.md")
    and "/" not in name
)  # fmt: skip


@pytest.fixture
def model() -> HubModel:
    return HubModel(dict(FILES))


@pytest.fixture
def hub(model: HubModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_for_test({REPO: model}, tmp_path / "hf", monkeypatch) as server:
        yield server


def ask(node: Node, repo: str = REPO, revision: str = "", token: str = "") -> Answer:
    return node.ask("hub", arguments(node, repo, revision, token))


def arguments(node: Node, repo: str = REPO, revision: str = "", token: str = "") -> dict[str, Any]:
    secrets = {"HF_TOKEN": token} if token else {}
    return {"python": str(node.python), "repo": repo, "revision": revision, "secrets": secrets}


def test_that_a_branch_is_pinned_to_its_commit_and_its_files_lie_in_the_home(node: Node, hub: HubServer) -> None:
    answer = ask(node, revision="main")
    path = Path(answer.result["path"])
    assert answer.result["revision"] == COMMIT
    assert path == node.home / "models" / "hub-org--small-0123456789ab"
    assert sorted(item.name for item in path.iterdir()) == FETCHED
    assert all((path / name).read_bytes() == FILES[name] for name in FETCHED)
    assert not [item for item in (path, *path.iterdir()) if item.stat().st_mode & 0o077]
    assert not list((node.home / "uploads").iterdir())
    phases = {frame.head["phase"] for frame in answer.of_kind("progress")}
    assert {"asking the Hub", "verifying"} <= phases


def test_that_a_commit_that_is_there_is_found_without_the_hub(node: Node, hub: HubServer) -> None:
    path = ask(node).result["path"]
    asked = len(hub.asked)
    assert ask(node, revision=COMMIT).result == {"repo": REPO, "revision": COMMIT, "path": path}
    assert len(hub.asked) == asked
    assert ask(node, revision="main").result["path"] == path
    assert hub.bodies_of("tokenizer.json") == 1


def test_that_a_cancelled_download_leaves_no_process_and_is_resumed(
    node: Node, hub: HubServer, model: HubModel
) -> None:
    model.stall = "model-00001-of-00002.safetensors"
    with node.talk("hub", arguments(node)) as agent:
        assert model.stalled.wait(60)
        wait_until(lambda: hub.bodies_of("model-00002-of-00002.safetensors") == 1)
        total = sum(len(FILES[name]) for name in FETCHED)
        while True:
            head = agent.until("progress", 60)[-1].head
            if head["phase"] == "downloading" and head["done"] >= len(FILES["model-00002-of-00002.safetensors"]):
                break
        assert (head["total"], head["unit"]) == (total, "bytes")
        (child,) = children_of(agent.process.pid)
        agent.send("cancel")
        assert agent.answer().kind == "interrupted"
    wait_until(lambda: is_dead(child))
    assert not list((node.home / "models").iterdir())
    model.stall = ""
    path = Path(ask(node).result["path"])
    assert all((path / name).read_bytes() == FILES[name] for name in FETCHED)
    assert sorted(item.name for item in path.iterdir()) == FETCHED
    # what had come whole was not fetched again
    assert hub.bodies_of("model-00002-of-00002.safetensors") == 1
    assert hub.bodies_of("model-00001-of-00002.safetensors") == 2


def test_that_two_calls_at_once_fetch_it_once(node: Node, hub: HubServer, model: HubModel) -> None:
    model.stall = "model-00001-of-00002.safetensors"
    with node.talk("hub", arguments(node)) as first, node.talk("hub", arguments(node)) as second:
        assert model.stalled.wait(60)
        wait_until(lambda: any(waits(agent) for agent in (first, second)))
        model.go.set()
        paths = {agent.answer(60).result["path"] for agent in (first, second)}
    assert len(paths) == 1
    assert hub.bodies_of("model-00001-of-00002.safetensors") == 1


def test_that_a_damaged_file_is_fetched_again_and_the_rest_is_kept(node: Node, hub: HubServer, model: HubModel) -> None:
    model.damaged = "model-00002-of-00002.safetensors"
    assert ask(node).error == "model-00002-of-00002.safetensors arrived damaged; try again, the rest is kept."
    model.damaged = ""
    path = Path(ask(node).result["path"])
    assert (path / "model-00002-of-00002.safetensors").read_bytes() == FILES["model-00002-of-00002.safetensors"]
    assert hub.bodies_of("model-00001-of-00002.safetensors") == 1


def test_that_a_gated_model_says_what_is_missing_and_comes_with_the_right_token(
    node: Node, hub: HubServer, model: HubModel
) -> None:
    model.access = "gated"
    page = f"{hub.url}/{REPO}"
    assert ask(node).error == (
        f"{REPO} is gated: accept its licence at {page}, then give Luthier a token of your account "
        "(set HF_TOKEN where Luthier is started)."
    )
    stranger = ask(node, token="hf_stranger")
    assert stranger.error.startswith(f"{REPO} is gated and the token's account may not have it (yet): accept its")
    assert stranger.kind == "bad_request"
    wrong = ask(node, token="hf_wrong")
    assert wrong.error == "The Hub does not accept the token (401); make a new one and set HF_TOKEN."
    asked = [path for _, path, _ in hub.asked]
    assert f"/api/models/{REPO}/auth-check" in asked and not any("/resolve/" in path for path in asked)
    assert ask(node, token="hf_good").result["revision"] == COMMIT


def test_that_weights_in_the_hubs_own_cache_are_used_where_their_hash_holds(
    node: Node, hub: HubServer, tmp_path: Path
) -> None:
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    cache = tmp_path / "hf" / "hub" / f"models--{REPO.replace('/', '--')}"
    snapshot = cache / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (cache / "blobs").mkdir()
    (cache / "blobs" / "good").write_bytes(FILES[first])
    (cache / "blobs" / "bad").write_bytes(b"x" * len(FILES[second]))
    for name, blob in ((first, "good"), (second, "bad")):
        (snapshot / name).symlink_to(f"../../blobs/{blob}")
    path = Path(ask(node).result["path"])
    assert {name: (path / name).read_bytes() == FILES[name] for name in (first, second)} == {first: True, second: True}
    assert (hub.bodies_of(first), hub.bodies_of(second)) == (0, 1)
    assert not (path / first).is_symlink() and (cache / "blobs" / "bad").read_bytes()[:1] == b"x"


def test_that_the_token_is_the_requests_own_and_lies_nowhere_afterwards(
    node: Node, hub: HubServer, model: HubModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_node")
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text("hf_cached")
    assert ask(node).result
    assert {token for _, _, token in hub.asked} == {""}
    model.access = "private"
    path = Path(ask(node, token="hf_good").result["path"])
    for file in (*node.home.rglob("*"), *path.rglob("*")):
        assert file.is_dir() or b"hf_good" not in file.read_bytes()


def test_that_what_is_not_there_is_told_apart(node: Node, hub: HubServer, model: HubModel) -> None:
    missing = ask(node, "org/none")
    assert missing.kind == "not_found"
    assert missing.error.startswith(f"There is no model org/none at {hub.url}, or it is private and needs a token")
    assert "the token's account may not read it" in ask(node, "org/none", token="hf_good").error
    revision = ask(node, revision="v9")
    assert (revision.kind, revision.error) == ("not_found", f"{REPO} has no revision v9 at {hub.url}.")
    del model.files["config.json"]
    assert "no config.json" in ask(node).error
    model.files["config.json"] = b"{}"
    for name in [name for name in model.files if name.endswith(".safetensors")]:
        del model.files[name]
    assert "pickle files only" in ask(node).error


def test_that_a_hub_out_of_reach_or_failing_or_switched_off_is_told_apart(
    node: Node, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fails_with = 418
    assert ask(node).error == f"{hub.url} answered with 418; try again later, what was fetched is kept."
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert ask(node).error.startswith("The node is set to stay off the Hub (HF_HUB_OFFLINE)")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    answer = ask(node)
    assert answer.error.startswith("The node does not reach http://127.0.0.1:9: ")
    assert f"hf download {REPO}" in answer.error


@pytest.mark.parametrize("repo", ["", "../etc", "a/b/c", "org/na--me", "org/x..y", "/abs", "org/", "o rg/x"])
def test_that_a_name_that_is_no_hub_id_is_refused_before_anything_is_started(node: Node, repo: str) -> None:
    assert ask(node, repo).kind == "bad_request"
    assert ask(node, revision="../../x").kind == "bad_request"


def test_that_an_interpreter_without_the_library_says_so(node: Node, hub: HubServer) -> None:
    bare = node.python.with_name("bare-python")
    bare.write_text("#!/bin/sh\n" + node.python.read_text().rpartition("*) exec ")[2].partition(" ")[0] + ' -S "$@"\n')
    bare.chmod(0o700)
    answer = node.ask("hub", {**arguments(node), "python": str(bare)})
    assert (answer.kind, answer.error[: len(str(bare)) + 24]) == ("no_python", f"{bare} has no huggingface_hub ")


def waits(agent: AgentProcess) -> bool:
    """Read one frame, where one is there, and say whether the call waits for another."""
    try:
        frame = agent.receive(0.1)
    except TimeoutError:
        return False
    return frame is not None and frame.head.get("phase") == "waiting for another download"


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
