"""The one-shot commands: what they answer, what they refuse, and that they leave nothing running."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.frames import Frame, encode_frame
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.wire import from_wire
from tests.supervisor.conftest import Node, is_dead, wait_until
from tests.support.agent_call import SOURCE_TREE, AgentProcess, Answer, agent_call

# a stand-in for the dataset zone: answers, fails, or sits there with a child of its own, as it is told
_DATASET = '''"""A dataset zone for tests."""
import os, subprocess, sys
from remote_agent.contract.frames import Frame, FrameReader, encode_frame

reader = FrameReader()
frames = []
while not frames:
    frames = reader.feed(os.read(0, 1 << 16))
asked = frames[0].head["arguments"]

def send(body=b"", **head):
    os.write(1, encode_frame(Frame(head, body)))

path = asked.get("path", asked.get("model_path"))
if path == "/hang":
    child = subprocess.Popen(["sleep", "1000"])
    send(frame="progress", phase="data", done=os.getpid(), total=child.pid, unit="")
    child.wait()
if asked["what"] == "session":
    child = subprocess.Popen(["sleep", "1000"])
    send(frame="progress", phase=asked["cache_root"], done=os.getpid(), total=child.pid, unit="")
    while data := os.read(0, 1 << 16):
        for frame in reader.feed(data):
            if frame.head["what"] == "fail":
                send(frame="error", sentence="The data is gone.", kind="not_found")
            send(frame="answer", id=frame.head["id"], value=frame.head["arguments"])
    sys.exit(0)
if path == "/die":
    sys.stderr.write("MemoryError: no room\\n")
    os._exit(3)
if path == "/wrong":
    send(frame="error", sentence="There is no config.json.", kind="not_found")
    sys.exit(1)
send(b"{}", frame="file", name="config.json", offset=0, size=2)
send(frame="result", value={"asked": asked, "isolated": sys.flags.isolated})
'''


@pytest.fixture
def data_node(node: Node) -> Node:
    package = node.agent_dir / "remote_agent" / "dataset"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(_DATASET)
    return node


def inspect(node: Node, path: str) -> dict[str, Any]:
    return {"what": "model", "python": str(node.python), "path": path}


def test_that_a_probe_sees_the_node_and_its_interpreter(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {"VIRTUAL_ENV": "", "PATH": os.defpath}
    report = from_wire(NodeReport, agent_call("probe", home, environment=environment).result["report"])
    assert report.cores >= 1 and report.memory_total_bytes > report.memory_available_bytes > 0
    assert report.home == str(home) and report.disk_free_bytes > 0 and report.boot_id
    assert report.interpreter is not None and report.interpreter.version.startswith("3.")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {path.name for path in home.iterdir()} == {"runs", "data", "models", "envs", "uploads"}


def test_that_a_probe_of_a_missing_interpreter_says_so(node: Node) -> None:
    report = from_wire(NodeReport, node.ask("probe", {"python": "/none/python"}).result["report"])
    assert report.interpreter is None
    assert report.problems[0] == "/none/python is no Python 3.8 or later that answers."
    found = from_wire(NodeReport, node.ask("probe", {"python": str(node.python)}).result["report"])
    assert found.interpreter is not None and not found.interpreter.missing


def test_that_a_home_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    os.chmod(tmp_path / "home", 0o755)
    answer = agent_call("probe", tmp_path / "home")
    assert answer.kind == "bad_request" and "chmod 700" in answer.error


def test_that_browsing_lists_folders_first_and_names_what_is_not_there(node: Node) -> None:
    place = node.folder / "place"
    (place / "b").mkdir(parents=True)
    (place / "a.txt").write_bytes(b"four")
    (place / "dead").symlink_to("nowhere")
    (Path(os.fsencode(place).decode()) / os.fsdecode(b"bad\xff")).touch()
    found = node.ask("browse", {"path": str(place)}).result
    assert [(entry["name"], entry["is_dir"], entry["size_bytes"]) for entry in found["entries"]] == [
        ("b", True, 0),
        ("a.txt", False, 4),
        ("bad\ufffd", False, 0),
        ("dead", False, 0),
    ]
    assert (found["path"], found["parent"]) == (str(place), str(node.folder))
    assert node.ask("browse", {"path": "/none"}).kind == "not_found"
    assert node.ask("browse", {"path": str(place / "a.txt")}).kind == "bad_request"


def test_that_a_folder_of_many_long_names_fits_into_the_answer(node: Node) -> None:
    place = node.folder / "place"
    place.mkdir()
    for number in range(1500):
        (place / (f"{number:04d}" + "\u00e9" * 120)).touch()
    entries = node.ask("browse", {"path": str(place)}).result["entries"]
    assert 1000 < len(entries) < 1500
    assert [entry["name"][:4] for entry in entries] == [f"{number:04d}" for number in range(len(entries))]


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n" * 9, b"", encode_frame(Frame({"frame": "chunk"}))])
def test_that_what_is_no_request_ends_the_agent_with_an_error(tmp_path: Path, said: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-B", str(SOURCE_TREE / "remote_agent" / "__main__.py"), "probe"],
        input=said,
        capture_output=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr == b""
    assert b"has to begin with a request" in done.stdout


def test_that_an_inspection_passes_frames_and_the_result_on(data_node: Node) -> None:
    answer = data_node.ask("inspect", inspect(data_node, "/model"))
    assert answer.result == {"asked": {"what": "model", "path": "/model"}, "isolated": 1}
    assert [(frame.head["name"], frame.body) for frame in answer.of_kind("file")] == [("config.json", b"{}")]


def test_that_an_inspection_that_fails_says_why(data_node: Node) -> None:
    assert data_node.ask("inspect", inspect(data_node, "/wrong"))[2:] == ("There is no config.json.", "not_found")
    assert "MemoryError: no room" in data_node.ask("inspect", inspect(data_node, "/die")).error
    answer = data_node.ask("inspect", {"what": "model", "python": "/none", "path": "/model"})
    assert answer[2:] == ("There is no interpreter /none on the node.", "no_python")


def test_that_a_session_hears_the_client_until_it_has_failed(data_node: Node) -> None:
    with data_node.talk("inspect", {**inspect(data_node, "/model"), "what": "session"}) as agent:
        (progress,) = agent.until("progress")
        assert progress.head["phase"] == str(data_node.home / "inspected")
        for number in range(1, 200):
            agent.send("ask", id=number, what="row", arguments={"index": number})
        for number in range(1, 200):
            (answer,) = agent.until("answer")
            assert (answer.head["id"], answer.head["value"]) == (number, {"index": number})
        agent.send("ask", id=200, what="fail", arguments={})
        assert agent.answer()[2:] == ("The data is gone.", "not_found")
        wait_until(lambda: is_dead(progress.head["done"]) and is_dead(progress.head["total"]))


@pytest.mark.parametrize("what", ["model", "session"])
@pytest.mark.parametrize("leave", ["cancel", "end of input", "kill"])
def test_that_no_child_outlives_a_client_that_is_gone(data_node: Node, leave: str, what: str) -> None:
    with data_node.talk("inspect", {**inspect(data_node, "/hang"), "what": what}) as agent:
        (progress,) = agent.until("progress")
        child, grandchild = progress.head["done"], progress.head["total"]
        if leave == "cancel":
            agent.send("cancel")
            assert agent.answer().kind == "interrupted"
        elif leave == "end of input":
            agent.close_input()
            assert agent.process.wait(5) == 1
        else:
            agent.process.kill()
        wait_until(lambda: is_dead(child))
        if leave != "kill":
            wait_until(lambda: is_dead(grandchild))
        else:
            os.kill(grandchild, 9)


def manifest(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"name": name, "size_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        for name, body in files.items()
    ]


FILES = {"config.json": b"{}", "sub/model.safetensors": b"w" * 100_000, "empty": b""}
SENT = {"kind": "models", "manifest": manifest(FILES), "fingerprint": "ab" * 32}


def send(agent: AgentProcess, files: dict[str, bytes], upto: int | None = None) -> dict[str, int]:
    """Send what the agent lacks, in chunks; return the offsets it had."""
    have = agent.until("have")[-1].head["offsets"]
    sent = 0
    for name, body in files.items():
        offset = have[name]
        while offset < len(body):
            if upto is not None and sent >= upto:
                return dict(have)
            chunk = body[offset : offset + 30_000]
            agent.send("chunk", chunk, name=name, offset=offset)
            offset += len(chunk)
            sent += len(chunk)
    agent.send("end")
    return dict(have)


def test_that_an_upload_that_broke_off_goes_on_and_arrives_whole(node: Node) -> None:
    with node.talk("receive", SENT) as agent:
        send(agent, FILES, upto=60_000)
        partial = node.home / "uploads" / ("ab" * 8) / "sub" / "model.safetensors"
        wait_until(lambda: partial.exists() and partial.stat().st_size >= 60_000)
        agent.close_input()
        agent.process.wait(5)
    with node.talk("receive", SENT) as agent:
        have = send(agent, FILES)
        folder = Path(agent.answer().result["path"])
    assert have["config.json"] == 2 and have["sub/model.safetensors"] >= 30_000
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert folder == node.home / "models" / ("ab" * 8)
    assert not [path for path in folder.rglob("*") if path.stat().st_mode & 0o077]
    again = node.ask("receive", SENT)
    assert again.result == {"path": str(folder)}
    assert again.of_kind("have")[0].head["offsets"]["sub/model.safetensors"] == 100_000


def test_that_damaged_uploads_are_refused_and_sent_again(node: Node) -> None:
    for body, kind in ((b"W" * 100_000, "failed"), (b"w" * 100_000, "")):
        with node.talk("receive", SENT) as agent:
            send(agent, {**FILES, "sub/model.safetensors": body})
            answer = agent.answer()
            assert answer.kind == kind
    assert answer.value is not None


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a//b", "a\\b", "a\0b", "."])
def test_that_a_name_that_leads_out_is_refused(node: Node, name: str) -> None:
    sent = {**SENT, "manifest": [{"name": name, "size_bytes": 1, "sha256": "0" * 64}]}
    assert node.ask("receive", sent).kind == "bad_request"


def chunk_for_a_stranger(agent: AgentProcess) -> None:
    agent.send("chunk", b"x", name="stranger", offset=0)


def chunk_at_a_wrong_offset(agent: AgentProcess) -> None:
    agent.send("chunk", b"x", name="config.json", offset=1)


def chunk_that_is_too_long(agent: AgentProcess) -> None:
    agent.send("chunk", b"xxx", name="config.json", offset=0)


@pytest.mark.parametrize("mistake", [chunk_for_a_stranger, chunk_at_a_wrong_offset, chunk_that_is_too_long])
def test_that_a_chunk_that_does_not_fit_ends_the_upload(node: Node, mistake: Callable[[AgentProcess], None]) -> None:
    with node.talk("receive", SENT) as agent:
        agent.until("have")
        mistake(agent)
        assert agent.answer().kind == "bad_request"


def fetch(node: Node, run: str, *names: str) -> Answer:
    return node.ask("fetch", {"run_id": run, "names": list(names)})


def test_that_files_of_a_run_are_fetched_and_nothing_else(node: Node) -> None:
    run = node.start(ranks=1, steps=1)
    run.wait_for("finished")
    big = os.urandom(1_200_000)
    (run.folder / "checkpoints" / "big").write_bytes(big)
    (run.folder / "link").symlink_to("/etc/passwd")
    answer = fetch(node, run.folder.name, "job.json", "checkpoints/big", "none", "journal")
    assert answer.result == {"missing": ["none", "journal"]}
    bodies: dict[str, bytes] = {}
    for frame in answer.of_kind("file"):
        name = frame.head["name"]
        assert frame.head["offset"] == len(bodies.get(name, b""))
        bodies[name] = bodies.get(name, b"") + frame.body
    assert bodies == {"job.json": (run.folder / "job.json").read_bytes(), "checkpoints/big": big}
    for name in ("../../x", "/etc/passwd", "link", "", "journal/../../x"):
        assert fetch(node, run.folder.name, name).kind == "bad_request", name
    assert fetch(node, "r-260101-000000-aaaaaa", "job.json").kind == "not_found"


def test_that_the_runs_are_listed_with_their_last_step(node: Node) -> None:
    run = node.start(ranks=1, steps=4)
    run.wait_for("finished")
    (listed,) = node.ask("runs").result["runs"]
    assert listed.pop("size_bytes") > 1000 and listed.pop("created_s") > 1e9
    assert listed == {
        "run_id": run.folder.name, "name": "a fake", "state": "finished", "attempt": 1, "step": 4, "alive": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"run_id": "../x"}, "bad_request"),
        ({"job": {"nmae": "x"}}, "bad_request"),
        ({"job": {}}, "bad_request"),
        ({"python": "/none"}, "no_python"),
        ({"model_path": "/none"}, "not_found"),
        ({"data_folder": "/none"}, "not_found"),
        ({"bundle": 7}, "bad_request"),
    ],
)
def test_that_a_start_that_cannot_go_well_makes_no_run(node: Node, change: dict[str, Any], kind: str) -> None:
    assert node.ask("start", {**node.start_arguments({}), **change}).kind == kind
    assert list((node.home / "runs").iterdir()) == []


def test_that_a_command_to_a_run_that_has_ended_is_refused(node: Node) -> None:
    run = node.start(ranks=1, steps=1)
    run.wait_for("finished")
    asked = {"run_id": run.folder.name, "command_id": "c1", "verb": "stop", "arguments": {}}
    assert node.ask("command", asked).error == "The run has ended; it is finished."
    assert list((run.folder / "inbox").iterdir()) == []


def test_that_nothing_in_the_home_or_the_present_folder_is_imported(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.home.mkdir(mode=0o700)
    for folder in (node.home, node.folder):
        for name in ("json.py", "sitecustomize.py", "subprocess.py"):
            (folder / name).write_text("raise SystemExit('imported')")
    monkeypatch.chdir(node.folder)
    monkeypatch.setenv("PYTHONPATH", str(node.folder))
    assert node.ask("runs").result == {"runs": []}
    assert json.loads(json.dumps({})) == {}
