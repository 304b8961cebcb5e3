"""Alerts of a run that nobody watches: raised by real processes, journalled once, and sent by a short-lived child."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.events import AlertRaised, AlertSent, Complained
from remote_agent.contract.notification import SECRET_NAME, Message
from remote_agent.contract.run_dir import NOTIFY_WRITER
from remote_agent.supervisor.outbox import keep_channels, put_message, take_channels, waiting_messages
from tests.supervisor.conftest import Node, Run, wait_until


class Receiver:
    """A local HTTP server that keeps what it is sent, and answers as it is told to."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], str]] = []
        self.refusals = 0
        self.stalls = 0
        self.let_go = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if receiver.stalls:
                    receiver.stalls -= 1
                    receiver.let_go.wait(30.0)
                    self.close_connection = True
                    return
                if receiver.refusals:
                    receiver.refusals -= 1
                    self.send_error(500)
                    return
                receiver.posts.append((self.path, dict(self.headers), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def close(self) -> None:
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def channel(address: str, kind: str = "slack", name: str = "team", chat: str = "") -> dict[str, str]:
    return {"name": name, "kind": kind, "address": address, "chat": chat}


def start_with(node: Node, channels: list[dict[str, str]], **plan: Any) -> Run:
    arguments = node.start_arguments(plan)
    arguments["secrets"] = {SECRET_NAME: json.dumps(channels)}
    assert node.ask("start", arguments).result["created"] is True
    return node.run(arguments["run_id"])


def sent(run: Run) -> list[AlertSent]:
    return run.of(AlertSent, NOTIFY_WRITER)


def test_that_the_end_of_a_run_is_sent_with_nobody_connected(node: Node, receiver: Receiver) -> None:
    run = start_with(node, [channel(receiver.address)], steps=3)
    run.wait_for("finished")
    wait_until(lambda: [event for event in sent(run) if event.rule == "run_ended"])
    path, headers, body = receiver.posts[-1]
    text = json.loads(body)["text"]
    assert path == "/hook"
    assert text == f"a fake ({run.folder.name})\nThe run has finished after 3 steps. Step 3 of 3, loss 2.5."
    assert "run_ended" in headers["Idempotency-Key"]
    assert AlertSent("run_ended", 3, "team") in sent(run)
    wait_until(lambda: not waiting_messages(str(run.folder)))


def test_that_each_kind_of_channel_gets_what_it_takes(node: Node, receiver: Receiver, tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = tmp_path / "tell"
    script.write_text(f"#!/bin/sh\ncat > {told}.aside && mv {told}.aside {told}\n")
    script.chmod(0o700)
    channels = [
        channel(receiver.address + "/ntfy", "ntfy", "phone"),
        channel(receiver.address + "/bot", "telegram", "bot", chat="42"),
        channel(str(script), "command", "script"),
    ]
    run = start_with(node, channels, steps=2)
    run.wait_for("finished")
    wait_until(
        lambda: {event.channel for event in sent(run) if event.rule == "run_ended"} == {"phone", "bot", "script"}
    )
    by_path = {path: (headers, body) for path, headers, body in receiver.posts}
    assert by_path["/hook/ntfy"][1].startswith("The run has finished after 2 steps.")
    assert by_path["/hook/ntfy"][0]["Title"] == f"a fake ({run.folder.name})"
    assert json.loads(by_path["/hook/bot"][1])["chat_id"] == "42"
    wait_until(lambda: told.exists() and not waiting_messages(str(run.folder)))
    assert "The run has finished after 2 steps." in told.read_text()


def test_that_addresses_stand_in_no_job_journal_process_list_or_rank(node: Node, receiver: Receiver) -> None:
    address = receiver.address + "/secret-token"
    run = start_with(node, [channel(address)], steps=100_000)
    run.wait_for("running")
    for pid in run.processes():
        for name in ("cmdline", "environ"):
            assert b"secret-token" not in Path(f"/proc/{pid}/{name}").read_bytes()
    run.command("stop", save=False)
    run.wait_for("stopped")
    wait_until(lambda: not waiting_messages(str(run.folder)))
    assert receiver.posts
    holding = {
        path.relative_to(run.folder).as_posix()
        for path in run.folder.rglob("*")
        if path.is_file() and b"secret-token" in path.read_bytes()
    }
    assert holding == {"notify/channels.json"}
    assert stat.S_IMODE((run.folder / "notify" / "channels.json").stat().st_mode) == 0o600


def test_that_a_server_that_fails_first_gets_each_message_once(node: Node, receiver: Receiver) -> None:
    receiver.refusals = 2
    run = start_with(node, [channel(receiver.address)], steps=3)
    run.wait_for("finished")
    wait_until(lambda: [event for event in sent(run) if event.rule == "run_ended"])
    keys = [headers["Idempotency-Key"] for _, headers, _ in receiver.posts]
    assert len(keys) == len(set(keys))
    assert {event.problem for event in sent(run)} == {""}
    wait_until(lambda: not waiting_messages(str(run.folder)))


def hurried(node: Node, folder: Path, *waits: str) -> None:
    """Send what waits in a folder with other waits than the long ones."""
    command = [str(node.agent_dir / "remote_agent" / "__main__.py"), "notify", str(folder), *waits]
    assert os.spawnl(os.P_WAIT, node.python, str(node.python), "-I", "-B", *command) == 0


def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "r-260101-000000-aaaaaa"
    for name in ("journal", "log"):
        (folder / name).mkdir(parents=True)
    return folder


MESSAGE = Message("loss_rise-1-5--1", "loss_rise", "warning", 5, "a job", "The loss rises.", ("dead", "team"))


def test_that_a_channel_that_is_not_there_holds_up_no_other_and_is_given_up_at_last(
    node: Node, receiver: Receiver, tmp_path: Path
) -> None:
    folder = run_folder(tmp_path)
    dead = channel("http://127.0.0.1:9/secret-token", name="dead")
    keep_channels(str(folder), take_channels({SECRET_NAME: json.dumps([dead, channel(receiver.address)])}))
    put_message(str(folder), MESSAGE, 0.0)
    hurried(node, folder, "0.05", "1.0")
    assert len(receiver.posts) == 1
    assert waiting_messages(str(folder)) == []
    events = Run(node, folder).of(AlertSent, NOTIFY_WRITER)
    assert events == [
        AlertSent("loss_rise", 5, "dead", "It was not reached: ConnectionRefusedError."),
        AlertSent("loss_rise", 5, "team"),
    ]


def test_that_a_server_that_never_answers_is_left_and_asked_again(
    node: Node, receiver: Receiver, tmp_path: Path
) -> None:
    folder = run_folder(tmp_path)
    keep_channels(str(folder), take_channels({SECRET_NAME: json.dumps([channel(receiver.address)])}))
    receiver.stalls = 1
    put_message(str(folder), MESSAGE, time.time())
    hurried(node, folder, "0.05", "4.0")
    assert len(receiver.posts) == 1
    assert Run(node, folder).of(AlertSent, NOTIFY_WRITER) == [AlertSent("loss_rise", 5, "team")]


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ('[{"name":"a","kind":"smoke","address":"x"}]', "'smoke' is no kind"),
        ('[{"name":"a","kind":"ntfy","address":"ftp://x"}]', "http"),
        ('[{"name":"a","kind":"telegram","address":"http://x"}]', "chat"),
        ('{"name":"a"}', "no list"),
    ],
)
def test_that_a_channel_that_cannot_be_used_is_refused_without_its_address(secret: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        take_channels({SECRET_NAME: secret})


def test_that_a_test_message_is_sent_as_an_alert_is_and_what_fails_is_said(
    node: Node, receiver: Receiver, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    channels = [
        channel(receiver.address),
        channel(f"sh -c 'cat > {told}; echo said'", "command", "script"),
        channel("http://127.0.0.1:1/secret-hook", "ntfy", "dead"),
        channel("false", "command", "failing"),
    ]
    answer = node.ask("tell", {"secrets": {SECRET_NAME: json.dumps(channels)}})
    problems = answer.result["problems"]
    assert problems == {
        "team": "",
        "script": "",
        "dead": "It was not reached: ConnectionRefusedError.",
        "failing": "The command ended with 1.",
    }
    assert json.loads(receiver.posts[0][2])["text"].startswith("Luthier\nThis is a test message.")
    assert told.read_text().startswith("Luthier\nThis is a test message.")
    wrong = node.ask("tell", {"secrets": {SECRET_NAME: json.dumps([channel("ftp://x")])}})
    assert wrong.kind == "bad_request"


def test_that_a_new_supervisor_says_no_alert_again(node: Node, receiver: Receiver) -> None:
    run = start_with(node, [channel(receiver.address)], steps=100_000)
    run.wait_for("running")
    wait_until(lambda: run.of(AlertRaised))  # its learning rate is not the planned one
    before = run.of(AlertRaised)
    run.kill_supervisor()
    node.ask("runs")
    run.command("stop", save=True)
    run.wait_for("stopped")
    wait_until(lambda: [event for event in sent(run) if event.rule == "run_ended"])
    rules = [event.rule for event in run.of(AlertRaised)]
    assert rules == [*(event.rule for event in before), "run_ended"]
    wait_until(lambda: not waiting_messages(str(run.folder)))
    assert len(receiver.posts) == len(rules)


def test_that_a_run_whose_job_cannot_be_read_is_supervised_all_the_same(node: Node) -> None:
    run = node.start(steps=100_000)
    run.wait_for("running")
    run.kill_supervisor()
    job = run.folder / "job.json"
    job.write_text(job.read_text().replace('"name"', '"nmae"', 1))
    node.ask("runs")
    run.command("stop", save=True)
    run.wait_for("stopped")
    assert any("usual thresholds" in event.sentence for event in run.of(Complained))


def test_that_what_waits_when_a_supervisor_dies_is_sent_by_the_next(node: Node, receiver: Receiver) -> None:
    run = start_with(node, [channel(receiver.address)], steps=100_000)
    run.wait_for("running")
    wait_until(
        lambda: [event for event in sent(run) if event.rule == "lr_plan"] and not waiting_messages(str(run.folder))
    )
    run.kill_supervisor()
    put_message(str(run.folder), dataclasses.replace(MESSAGE, channels=("team",)), time.time())
    node.ask("runs")
    wait_until(lambda: [event for event in sent(run) if event.rule == "loss_rise"])
    run.command("stop", save=True)
    run.wait_for("stopped")
    wait_until(lambda: not waiting_messages(str(run.folder)))
    assert [json.loads(body)["text"].partition("\n")[2] for _, _, body in receiver.posts].count("The loss rises.") == 1


def test_that_channels_given_at_a_resume_hear_nothing_of_what_was_before(node: Node, receiver: Receiver) -> None:
    run = node.start(ranks=1, steps=8, state_every=2, die_rank=0, die_step=5, die_attempts=1)
    run.wait_for("failed")
    secrets = {SECRET_NAME: json.dumps([channel(receiver.address)])}
    answer = node.ask("resume", {"run_id": run.folder.name, "command_id": "again", "python": "", "secrets": secrets})
    assert answer.result["step"] == 4
    wait_until(lambda: run.states()[-1] == "finished")
    wait_until(lambda: [event for event in sent(run) if event.rule == "run_ended"])
    wait_until(lambda: not waiting_messages(str(run.folder)))
    assert not [body for _, _, body in receiver.posts if "failed" in body]
