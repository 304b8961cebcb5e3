"""A node is prepared while its job is edited: real agents over a command and over a slow ssh link."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.remote.transport import NodeAddress
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.state.node import READY
from tests.session.conftest import look
from tests.support.faulty_link import FaultyLink
from tests.support.sshd import node_address, running_sshd

_LONG_MS = 60_000
_EXTRA_BYTES = 16 << 20


@pytest.fixture
def box(tmp_path: Path) -> NodeAddress:
    """Return a node that is reached by a command, with a home of its own."""
    return NodeAddress("box", "command", home=str(tmp_path / "node"), python=sys.executable, command="env")


def _with_inputs(session: Session, qtbot: QtBot, model: Path, rows: Path) -> Session:
    session.choose_model("desktop", str(model))
    session.choose_data("desktop", str(rows))
    session.draft.edit({"data.max_length": 128, "strategy.precision": "fp32", "strategy.ranks": 1})
    look(session, qtbot)
    return session


def _chosen(session: Session, qtbot: QtBot, address: NodeAddress) -> None:
    session.add_node(address)
    session.choose_node(address.name)
    qtbot.waitUntil(lambda: session.hosts[address.name].link == READY, timeout=_LONG_MS)
    look(session, qtbot)


def _states(session: Session) -> dict[str, str]:
    return {step.key: step.state for step in session.ahead.steps}


def _is_settling(session: Session) -> bool:
    return session.ahead.is_settling


def _receiving(home: Path) -> int:
    """Return how many calls of the agent of that home take files now."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        count += b"receive" in words and any(word.startswith(str(home).encode()) for word in words)
    return count


def test_that_model_and_data_travel_to_a_node_that_stands_chosen_while_the_job_is_edited(
    make_session: Callable[[], Session],
    qtbot: QtBot,
    box: NodeAddress,
    model_folder: Path,
    rows_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.session.ahead.SETTLE_MS", 500)
    session = _with_inputs(make_session(), qtbot, model_folder, rows_file)
    _chosen(session, qtbot, box)
    session.draft.set_value("optimizer.learning_rate", -1.0)
    session.choose_node("box")
    assert _is_settling(session)
    session.choose_node(LOCAL_NODE)
    assert not _is_settling(session)  # it was only glanced at
    session.choose_node("box")
    qtbot.waitUntil(lambda: session.hosts["box"].link == READY and not session.ahead.is_settling, timeout=_LONG_MS)
    assert session.ahead.steps == ()  # something stands against the job
    assert not [*Path(box.home).rglob("*.safetensors"), *Path(box.home).rglob(rows_file.name)]
    session.draft.set_value("optimizer.learning_rate", 1e-4)
    both = {"ahead_model": "done", "ahead_data": "done"}
    qtbot.waitUntil(lambda: _states(session) == both, timeout=_LONG_MS)
    (model,) = (path.parent for path in Path(box.home, "models").rglob("*.safetensors"))
    assert {path.name for path in model.iterdir()} == {path.name for path in model_folder.iterdir()}
    assert [(path / rows_file.name).read_bytes() for path in Path(box.home, "data").glob("source-*")] == [
        rows_file.read_bytes()
    ]
    other = tmp_path / "other.jsonl"
    shutil.copy(rows_file, other)
    session.choose_data("desktop", str(other))
    look(session, qtbot)
    qtbot.waitUntil(lambda: len(list(Path(box.home, "data").glob("source-*"))) == 2, timeout=_LONG_MS)
    session.ahead.turn(False)
    again = make_session()
    assert not again.ahead.is_on
    again.ahead.turn(True)


def test_that_a_launch_joins_what_is_on_the_way_and_cancelling_keeps_what_was_sent(
    make_session: Callable[[], Session],
    qtbot: QtBot,
    model_folder: Path,
    rows_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.session.ahead.SETTLE_MS", 100)
    config = tmp_path / "ssh_config"
    config.write_text("UserKnownHostsFile /dev/null\n", encoding="ascii")
    monkeypatch.setenv("LUTHIER_SSH_CONFIG", str(config))
    model = tmp_path / "model"
    shutil.copytree(model_folder, model)
    (model / "notes.bin").write_bytes(bytes(_EXTRA_BYTES))
    home = tmp_path / "node"
    session = _with_inputs(make_session(), qtbot, model, rows_file)
    session.host_key_question.connect(lambda question, name: session.accept_host_key(question))
    with running_sshd(tmp_path / "server") as server, FaultyLink(server.port, bytes_per_s=1 << 20) as link:
        address = dataclasses.replace(node_address(server, str(home), "box"), port=link.port, python=sys.executable)
        _chosen(session, qtbot, address)

        def sent() -> float:
            return next((step.done for step in session.ahead.steps if step.key == "ahead_model"), 0.0)

        qtbot.waitUntil(lambda: sent() > 0, timeout=_LONG_MS)
        session.launch()

        def joined() -> float:
            return next((step.done for step in session.launch_progress if step.key == "model"), 0.0)

        qtbot.waitUntil(lambda: joined() > 0 or not session.is_launching, timeout=_LONG_MS)
        assert session.is_launching and session.ahead.is_under_way, session.launch_progress
        assert _receiving(home) <= 1
        session.cancel_launch()
        qtbot.waitUntil(lambda: not (session.is_launching or session.ahead.is_under_way), timeout=_LONG_MS)
        said = {step.key: step.detail for step in session.ahead.steps}
        assert said["ahead_model"] == "Cancelled; what was sent is kept."
        kept = [path for path in (home / "uploads").rglob("*") if path.is_file() and path.stat().st_size]
        assert kept and not list((home / "models").rglob("*.safetensors")) and not session.library.runs
