"""Uploads whose hashes come after their bytes: what is spared, taken, refused and resumed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tests.supervisor.conftest import Node, wait_until
from tests.support.agent_call import AgentProcess

FILES = {"config.json": b"{}", "sub/model.safetensors": b"w" * 100_000, "empty": b""}


def asked(key: str, files: dict[str, bytes] = FILES) -> dict[str, Any]:
    manifest = [{"name": name, "size_bytes": len(body)} for name, body in files.items()]
    return {"kind": "models", "manifest": manifest, "key": key * 32}


def tell_hashes(agent: AgentProcess, fingerprint: str, files: dict[str, bytes] = FILES) -> None:
    hashes = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    agent.send("hashes", fingerprint=fingerprint * 32, sha256=hashes)


def send(agent: AgentProcess, have: dict[str, int], files: dict[str, bytes] = FILES) -> None:
    for name, body in files.items():
        for offset in range(have[name], len(body), 30_000):
            agent.send("chunk", body[offset : offset + 30_000], name=name, offset=offset)


def upload(node: Node, files: dict[str, bytes], fingerprint: str) -> tuple[bool, Any]:
    """Return whether the node seemed to have it, and its answer; hash as late as the client does."""
    with node.talk("receive", asked("aa", files)) as agent:
        head = agent.until("have")[-1].head
        if head["likely"]:
            tell_hashes(agent, fingerprint, files)
            frames = agent.until("have")
            if frames[-1].kind == "result":
                return True, frames[-1].head["value"]["path"]
            head["offsets"] = frames[-1].head["offsets"]
        send(agent, head["offsets"], files)
        if not head["likely"]:
            tell_hashes(agent, fingerprint, files)
        agent.send("end")
        return head["likely"], agent.answer().result["path"]


def test_that_hashes_may_come_last_and_the_same_again_is_spared(node: Node) -> None:
    likely, path = upload(node, FILES, "ab")
    folder = Path(path)
    assert not likely and folder == node.home / "models" / ("ab" * 8)
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert upload(node, FILES, "ab") == (True, path)
    # the same names and sizes are no proof: other contents are sent, and both stay
    other = {**FILES, "config.json": b"[]"}
    likely, elsewhere = upload(node, other, "cd")
    assert likely and elsewhere != path and (Path(elsewhere) / "config.json").read_bytes() == b"[]"
    assert (folder / "config.json").read_bytes() == b"{}"
    assert not list((node.home / "uploads").iterdir())


def test_that_a_resumed_upload_is_hashed_whole(node: Node) -> None:
    partial = node.home / "uploads" / ("aa" * 8) / "sub" / "model.safetensors"
    for spoiled in (True, False):
        with node.talk("receive", asked("aa")) as agent:
            send(agent, agent.until("have")[-1].head["offsets"], {**FILES, "sub/model.safetensors": b"w" * 60_000})
            wait_until(lambda: partial.exists() and partial.stat().st_size == 60_000)
            agent.close_input()
            agent.process.wait(5)
        if spoiled:
            partial.write_bytes(b"W" * 60_000)
        with node.talk("receive", asked("aa")) as agent:
            have = agent.until("have")[-1].head["offsets"]
            assert have["sub/model.safetensors"] == 60_000
            send(agent, have)
            tell_hashes(agent, "ab")
            agent.send("end")
            answer = agent.answer()
        assert (answer.kind == "failed" and "arrived damaged" in answer.error) == spoiled
    assert answer.value is not None


def test_that_an_upload_without_hashes_or_with_others_is_refused(node: Node) -> None:
    with node.talk("receive", asked("aa")) as agent:
        send(agent, agent.until("have")[-1].head["offsets"])
        agent.send("end")
        assert agent.answer().kind == "bad_request"
    with node.talk("receive", asked("aa")) as agent:
        agent.until("have")
        agent.send("hashes", fingerprint="ab" * 32, sha256={"config.json": "0" * 64})
        assert agent.answer().error == "There is no SHA-256 for sub/model.safetensors."
    assert not (node.home / "models").exists() or not list((node.home / "models").iterdir())
