"""A small agent, written out as files, that speaks the protocol and does what a test asks of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import remote_agent
from studio.remote.deploy import AgentArchive, agent_archive

MAIN = r'''
"""Answers calls as the arguments say; everything after the greeting is the real framing."""

import json
import os
import signal
import sys
import time

from remote_agent.contract.frames import Frame, FrameReader, encode_frame, greeting

reader = FrameReader()
pending = []


def send(kind, body=b"", /, **head):
    os.write(1, encode_frame(Frame(dict(head, frame=kind), body)))


def receive():
    while not pending:
        data = os.read(0, 1 << 18)
        if not data:
            sys.exit(3)
        for frame in reader.feed(data):
            if frame.kind == "ping":
                send("pong", id=frame.head["id"])
            elif frame.kind == "cancel":
                send("error", sentence="The command was cancelled.", kind="interrupted")
                sys.exit(1)
            else:
                pending.append(frame)
    return pending.pop(0)


def main():
    command = sys.argv[1]
    request = receive().head
    os.write(1, greeting(request["nonce"]))
    arguments = request["arguments"]
    return globals()["do_" + command](request["home"], arguments)


def do_probe(home, arguments):
    facts = {"cwd": os.getcwd(), "json": json.__file__, "argv": sys.argv, "isolated": sys.flags.isolated, "home": home}
    report = {
        "hostname": json.dumps(facts), "user": "", "system": "", "home": home, "python_version": "", "cores": 1,
        "memory_total_bytes": 1, "memory_available_bytes": 1, "disk_free_bytes": 1, "gpus": [], "interpreter": None,
        "compiler": "", "ninja": "", "boot_id": "", "time_s": 0.0, "problems": [],
    }
    send("progress", phase="looking", done=1, total=2, unit="things")
    send("result", value={"report": report})


def do_browse(home, arguments):
    path = arguments["path"]
    if path == "crash":
        sys.stderr.write("it broke\n")
        sys.exit(7)
    if path == "error":
        send("error", sentence="There is no such folder.", kind="not_found")
        sys.exit(1)
    if path == "noise":
        os.write(1, b"this is no frame at all, and long enough to be seen as such")
        time.sleep(60)
    if path == "silent":
        time.sleep(600)
    if path == "flood":
        os.write(2, b"x" * (8 << 20))
    if path == "busy":
        receive()
    send("result", value={"path": path, "parent": "", "entries": [{"name": "a", "is_dir": True, "size_bytes": 0}]})


def do_receive(home, arguments):
    folder = os.path.join(os.path.expanduser(home), "uploads", arguments["key"][:16])
    os.makedirs(folder, exist_ok=True)
    sizes = {entry["name"]: entry["size_bytes"] for entry in arguments["manifest"]}
    offsets = {}
    for name in sizes:
        path = os.path.join(folder, name)
        offsets[name] = os.path.getsize(path) if os.path.exists(path) else 0
    send("have", offsets=offsets)
    while True:
        frame = receive()
        if frame.kind == "end":
            break
        if frame.kind == "hashes":
            send("have", offsets=offsets)
            continue
        with open(os.path.join(folder, frame.head["name"]), "r+b" if frame.head["offset"] else "wb") as out:
            out.seek(frame.head["offset"])
            out.write(frame.body)
    send("result", value={"path": folder})


def do_fetch(home, arguments):
    if arguments["run_id"] == "folder":
        for name in ("journal/a.jsonl", "journal/deep/b.jsonl"):
            send("file", b"", name=name, offset=0, size=0)
        send("result", value={"missing": []})
        return
    for name in arguments["names"]:
        if name != "missing":
            send("file", b"half of ", name=name, offset=0, size=11)
            send("file", b"it!", name=name, offset=8, size=11)
    if arguments["run_id"] == "hostile":
        send("file", b"x", name="../escaped", offset=0, size=1)
    send("result", value={"missing": [name for name in arguments["names"] if name == "missing"]})


def do_inspect(home, arguments):
    """A session with data: each path is a script of what goes wrong; asks are answered with what they held."""
    script = arguments["data_paths"][0]
    if arguments["what"] == "losses":
        send("progress", phase="losses", done=1, total=2, unit="rows")
        if script != "sends nothing":
            send("file", b"numbers", name="row_losses.npz", offset=0, size=7)
        return send("result", value={"path": "/node/row_losses.npz"})
    if script == "unusable":
        receive()
        send("error", sentence="rows.json: the file is empty.", kind="bad_request")
        sys.exit(1)
    version = 0
    report(version, complete=False)
    report(version, complete=True)
    while True:
        ask = receive().head
        if ask["what"] == "job":
            version = ask["arguments"]["version"]
            send("answer", id=ask["id"], value={})
            report(version, complete=True)
        elif ask["what"] == "row" and ask["arguments"]["index"] == 99:
            send("failed", id=ask["id"], sentence="There is no row 100.", kind="not_found")
        elif ask["what"] == "break the look":
            send("failed", id=0, sentence="rows.json vanished.", kind="not_found")
        elif ask["what"] == "die":
            os._exit(9)
        elif ask["what"] == "silence":
            time.sleep(600)
        else:
            send("answer", id=ask["id"], value={"what": ask["what"], **ask["arguments"]})


def report(version, complete):
    counts = {"count": 1, "minimum": 1, "mean": 1.0, "median": 1.0, "maximum": 1, "total": 1, "histogram": [1],
              "edges": [1.0, 2.0]}
    value = {
        "path": "", "rows": 7 + version, "shape": "text", "shape_reason": "", "train_rows": 1, "held_out_rows": 0,
        "prompt": counts, "response": counts, "total": counts, "packing": {"length": 8, "sequences": 1,
        "efficiency": 1.0}, "train_sequences": 1, "held_out_sequences": 0, "train_tokens": 1,
        "train_supervised_tokens": 1, "findings": [], "content_hash": "", "complete": complete,
    }
    send("progress", phase="reading", done=1, total=2, unit="rows")
    send("report", version=version, value=value)


def do_attach(home, arguments):
    run, wanted = next(iter(arguments["runs"].items()))
    offset = wanted["cursors"]["rank0"][2]
    if not arguments["follow"]:
        for number in range(3):
            body = b"line\n" * 40000
            send("journal", body, run=run, writer="rank0", segment=0, incarnation="i", offset=number * len(body))
        send("result", value={})
        return
    while True:
        send("journal", b"line\n", run=run, writer="rank0", segment=0, incarnation="i", offset=offset)
        offset += 5
        while receive().kind != "ack":
            pass
'''


def fake_agent(folder: Path, main: str = MAIN) -> AgentArchive:
    """Write the agent into a folder and return its archive; the contract in it is the real one."""
    source = folder / "remote_agent"
    if not source.exists():
        contract = Path(remote_agent.__file__).parent / "contract"
        shutil.copytree(contract, source / "contract", ignore=shutil.ignore_patterns("__pycache__"))
        (source / "__init__.py").write_text("", encoding="ascii")
        (source / "__main__.py").write_text(main, encoding="ascii")
    return agent_archive(source)
