"""The main job through the real window: from data to a rerun with the same losses, over both transports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract import run_dir
from remote_agent.contract.events import ENDED, FINISHED, RUNNING
from remote_agent.contract.job_spec import (
    BatchSpec,
    CheckpointingSpec,
    DataSpec,
    EvaluationSpec,
    JobSpec,
    ModelSpec,
    StrategySpec,
)
from remote_agent.contract.journal_line import parse_line
from remote_agent.contract.node_folders import FOLDERS
from remote_agent.contract.schedule import lr_at
from studio import places
from studio.app import open_window
from studio.demo.private_sshd import PrivateSshd
from studio.job_file import write_job_file
from studio.session.opening import open_session
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.state.run import RunState
from studio.store.live import RECONNECTING
from studio.ui import theme
from studio.ui.main_window import MainWindow
from tests.support.agent_home import with_shared_operators
from tests.support.sshd import node_address, running_sshd
from tests.support.tiny import tiny_model, tiny_rows

pytestmark = pytest.mark.slow

STEPS = 60
EVALUATE_EVERY = 10
LEARNING_RATE = 3e-4
INPUT_MS, START_MS, RUN_MS = 60_000, 240_000, 240_000


@pytest.fixture(scope="module")
def job_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    spec = JobSpec(
        name="small",
        model=ModelSpec(id=str(tiny_model(folder / "model", hidden=64))),
        data=DataSpec(path=str(tiny_rows(folder, rows=200)), max_length=128),
        batch=BatchSpec(micro_batch=2, max_steps=STEPS),
        strategy=StrategySpec(precision="fp32", threads_per_rank=1, activation_checkpointing=False),
        checkpointing=CheckpointingSpec(state_every_steps=20),
        evaluation=EvaluationSpec(
            every_steps=EVALUATE_EVERY, sample_prompts=("What does Anna do on day 3?",), sample_tokens=8
        ),
    )
    write_job_file(folder / "job.yaml", spec)
    return folder / "job.yaml"


@pytest.fixture
def window(qtbot: QtBot, luthier_home: Path) -> Iterator[MainWindow]:
    with_shared_operators(Path(places.agent_home()))
    yield from _window(qtbot)


def _window(qtbot: QtBot) -> Iterator[MainWindow]:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    theme.start(application, places.resources_dir())
    session = open_session()
    window = open_window(session)
    qtbot.waitUntil(lambda: bool(session.job_id), timeout=INPUT_MS)
    yield window
    window.close()
    session.close()
    window.deleteLater()
    session.deleteLater()
    application.processEvents()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[PrivateSshd]:
    with running_sshd(tmp_path / "server") as server:
        yield server


def test_that_a_job_runs_over_ssh_through_a_cut_and_reruns_with_the_same_losses(
    qtbot: QtBot, window: MainWindow, sshd: PrivateSshd, job_file: Path, tmp_path: Path
) -> None:
    session = window.session
    agent_home = with_shared_operators(sshd.folder.parent / "home" / ".luthier")
    _load(qtbot, window, job_file)

    _type(qtbot, window, "optimizer.learning_rate", f"{LEARNING_RATE:g}")
    assert session.draft.spec.optimizer.learning_rate == LEARNING_RATE
    curve = window.findChild(QWidget, "rateCurve")
    assert curve is not None
    _, rates = curve.line(curve.curve_name)  # type: ignore[attr-defined]
    assert max(rates) == pytest.approx(LEARNING_RATE, rel=1e-12)

    session.add_node(node_address(sshd, str(agent_home), "box"))
    _click(qtbot, window, "acceptHostKeyButton")
    session.choose_python("box", sys.executable)
    session.choose_node("box")
    qtbot.waitUntil(lambda: (node := session.node) is not None and node.report is not None, timeout=INPUT_MS)
    disk = _place_folders(qtbot, session, tmp_path / "disk")

    run = _launch(qtbot, window)
    qtbot.waitUntil(lambda: run.step >= 3 or run.state in ENDED, timeout=START_MS)
    assert run.state == RUNNING and run.step < STEPS, run.reason
    sshd.kill_sessions()
    qtbot.waitUntil(lambda: run.link is not None and run.link.kind == RECONNECTING, timeout=INPUT_MS)
    qtbot.waitUntil(lambda: run.state in ENDED, timeout=RUN_MS)
    assert run.state == FINISHED, run.reason

    steps, losses = run.series("loss")
    assert list(steps) == list(range(1, STEPS + 1)), "the plot has a gap or a repeat"
    _, rates = run.series("learning_rate")
    assert list(rates) == pytest.approx([lr_at(run.spec, step, STEPS) for step in range(STEPS)], rel=1e-12)
    assert losses[-5:].mean() < losses[:5].mean()
    assert _journal_losses(agent_home, run) == list(losses)
    assert [evaluation.step for evaluation in run.evaluations] == list(range(0, STEPS + 1, EVALUATE_EVERY))

    assert (disk / "checkpoints" / run.run_id / f"step-{STEPS}" / "COMMITTED.json").is_file()
    assert all(any((disk / name).iterdir()) for name in ("environments", "models", "data"))

    bundle = tmp_path / "bundle"
    session.export_run(run.run_id, bundle)
    qtbot.waitUntil(lambda: (bundle / "run.sh").exists() and (bundle / "README.md").exists(), timeout=INPUT_MS)
    _rerun_and_compare(bundle, job_file, tmp_path)


def test_that_a_closed_window_goes_on_where_the_journal_stands_and_needs_no_node_afterwards(
    qtbot: QtBot, window: MainWindow, job_file: Path
) -> None:
    _load(qtbot, window, job_file)
    window.session.choose_node(LOCAL_NODE)
    run = _launch(qtbot, window)
    run_id = run.run_id
    qtbot.waitUntil(lambda: run.step >= 2 or run.state in ENDED, timeout=START_MS)
    seen = list(run.series("loss")[1])
    window.close()
    window.session.close()

    again = _window(qtbot)
    second = next(again)
    resumed = second.session.run(run_id)
    qtbot.waitUntil(lambda: resumed.state in ENDED, timeout=RUN_MS)
    assert resumed.state == FINISHED, resumed.reason
    steps, losses = resumed.series("loss")
    assert list(steps) == list(range(1, STEPS + 1))
    assert list(losses[: len(seen)]) == seen
    for _ in again:
        pass

    Path(places.agent_home()).rename(Path(places.agent_home()).with_name("gone"))
    third = _window(qtbot)
    opened = next(third).session.run(run_id)
    qtbot.waitUntil(lambda: len(opened.series("loss")[0]) == STEPS, timeout=INPUT_MS)
    assert numpy.array_equal(opened.series("loss")[1], losses)
    for _ in third:
        pass


def _load(qtbot: QtBot, window: MainWindow, job_file: Path) -> None:
    session = window.session
    session.open_job_file(job_file)
    qtbot.waitUntil(lambda: session.draft.known.data is not None, timeout=INPUT_MS)
    _click(qtbot, window, "tabRecipe")


def _control(window: MainWindow, name: str) -> QWidget | None:
    for top in (window, *QApplication.topLevelWidgets()):
        for control in top.findChildren(QWidget, name):
            if control.isVisible() and control.isEnabled():
                return control
    return None


def _click(qtbot: QtBot, window: MainWindow, name: str) -> None:
    qtbot.waitUntil(lambda: _control(window, name) is not None, timeout=INPUT_MS)
    control = _control(window, name)
    assert control is not None
    QTest.mouseClick(control, Qt.MouseButton.LeftButton)


def _type(qtbot: QtBot, window: MainWindow, name: str, text: str) -> None:
    line = _control(window, name)
    assert isinstance(line, QLineEdit)
    line.selectAll()
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)


def _launch(qtbot: QtBot, window: MainWindow) -> RunState:
    session = window.session
    before = {row.run_id for row in session.library.runs}
    qtbot.waitUntil(lambda: session.draft.known.data is not None, timeout=INPUT_MS)
    assert not [problem for problem in session.draft.problems if problem.severity == "error"]
    _click(qtbot, window, "launchButton")
    qtbot.waitUntil(lambda: bool({row.run_id for row in session.library.runs} - before), timeout=START_MS)
    (run_id,) = {row.run_id for row in session.library.runs} - before
    run: RunState = session.run(run_id)
    return run


def _journal_losses(agent_home: Path, run: RunState) -> list[float]:
    losses = []
    for path in sorted((agent_home / run_dir.RUNS / run.run_id / run_dir.JOURNAL).glob("rank0.*.jsonl")):
        for line in path.read_bytes().splitlines():
            parsed = parse_line(line)
            assert parsed is not None
            body = json.loads(parsed.body)
            if body["k"] == "step":
                losses.append(body["loss"])
    return losses


def _place_folders(qtbot: QtBot, session: Session, disk: Path) -> Path:
    """Let every folder of the agent lie on another disk."""
    done: list[bool] = []
    said: list[str] = []
    wanted = {name: str(disk / name) for name in FOLDERS}
    session.place_folders("box", wanted, lambda: done.append(True), said.append)
    qtbot.waitUntil(lambda: bool(done or said), timeout=INPUT_MS)
    assert done, said
    return disk


def _rerun_and_compare(bundle: Path, job_file: Path, tmp_path: Path) -> None:
    """Run the bundle as its README says, twice: it verifies, and with another input it refuses before it trains."""
    inputs = job_file.parent
    environment = {
        **os.environ,
        "MODEL": str(inputs / "model"),
        "DATA": str(inputs / "rows.json"),
        "PYTHON": sys.executable,
        "LUTHIER_HOME": str(with_shared_operators(tmp_path / "rerun-home")),
    }
    done = subprocess.run(
        ["bash", str(bundle / "run.sh"), "--verify"], env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    other = tiny_rows(tmp_path / "other", rows=20)
    refused = subprocess.run(
        ["bash", str(bundle / "run.sh")],
        env={**environment, "DATA": str(other)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert refused.returncode == 2, refused.stdout + refused.stderr
