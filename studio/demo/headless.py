"""The demo without a display: the same window, offscreen, driven from the job to the exported bundle."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from remote_agent.contract.events import ENDED, FINISHED
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import JOURNAL, RUNS
from studio.demo.driver import DriveError, Driver
from studio.job_file import read_job_file
from studio.remote.transport import NodeAddress
from studio.session.session import Session
from studio.state.run import RunState
from studio.ui.main_window import MainWindow

_JOB_PAGES = ("data", "recipe", "memory", "launch")
_RUN_PAGES = ("samples", "log", "config")
_PREPARE_S = 300.0
_START_S = 300.0
_TRAIN_S = 1200.0


class DemoRun(NamedTuple):
    """The demo's node: its address, None for this computer, and the agent's home, a folder of this computer."""

    address: NodeAddress | None
    agent_home: Path


def hush_the_offscreen_plugin() -> None:
    """Drop the line that Qt's offscreen plugin prints for every window; all other messages go to standard error."""

    def handle(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        if not text.startswith("This plugin does not support"):
            sys.stderr.write(text + "\n")

    qInstallMessageHandler(handle)


def open_demo_job(session: Session, job_file: Path) -> None:
    """Open the demo's job: the one of an earlier demo where it is the same, else a new one in the library."""
    spec = read_job_file(job_file)
    same = next((job for job in session.library.jobs if job.spec == spec), None)
    if same is not None:
        session.open_job(same.job_id)
    else:
        session.open_job_file(job_file)
    for job in session.library.jobs:
        if job.spec == JobSpec():  # what a library without jobs begins with
            session.delete_job(job.job_id)


def drive(application: QApplication, window: MainWindow, node: DemoRun, out: Path) -> int:
    """Run the open job through the window and write pictures, journal and bundle to ``out``.

    Returns:
        0 where the run finished, 1 where it did not or the window got stuck.
    """
    out.mkdir(parents=True, exist_ok=True)
    opened = time.monotonic()
    driver = Driver(application, window, out)
    try:
        _choose(driver, window, node.address)
        _look_at_pages(driver, _JOB_PAGES)
        driver.click("tabData")
        driver.click("viewTokens")
        driver.picture("data-tokens")
        run = _launch(driver, window)
        _say(f"{opened_for(opened)} run {run.run_id} started")
        driver.wait("first loss", lambda: len(run.series("loss")[0]) > 0 or run.state in ENDED, _START_S)
        _say(f"{opened_for(opened)} first loss on the plot")
        half = max(1, run.total_steps // 2)
        driver.wait("second half", lambda: run.step >= half or run.state in ENDED, _TRAIN_S)
        driver.picture("monitor-training")
        driver.wait("end of the run", lambda: run.state in ENDED, _TRAIN_S)
        _say(f"{opened_for(opened)} the run is {run.state}")
        driver.picture("monitor-end")
        _look_at_pages(driver, _RUN_PAGES)
        if run.state == FINISHED:
            _export(driver, window, run, out)
        _copy_journal(node.agent_home, run, out)
    except DriveError as error:
        sys.stderr.write(f"{error}\n")
        driver.picture("stuck")
        return 1
    return _report(run)


def opened_for(opened: float) -> str:
    """Return how long the window is open by now, for a line of the demo's report."""
    return f"{time.monotonic() - opened:6.1f} s after the window:"


def _choose(driver: Driver, window: MainWindow, address: NodeAddress | None) -> None:
    session = window.session
    if address is not None:
        session.add_node(address)
        driver.click("acceptHostKeyButton")
        session.choose_node(address.name)
    driver.wait("probe", lambda: (node := session.node) is not None and node.report is not None, 60.0)
    driver.wait("look at the data", lambda: session.draft.known.data is not None, _PREPARE_S)
    driver.click("tabData")
    driver.wait("row", lambda: driver.cell("rowTable", 0, 1) not in ("", "…"), 60.0)


def _look_at_pages(driver: Driver, pages: tuple[str, ...]) -> None:
    for page in pages:
        driver.click(f"tab{page.capitalize()}")
        driver.picture(page)


def _launch(driver: Driver, window: MainWindow) -> RunState:
    session = window.session
    before = {row.run_id for row in session.library.runs}
    driver.click("launchButton")
    driver.wait("run", lambda: any(row.run_id not in before for row in session.library.runs), _PREPARE_S)
    run_id = next(row.run_id for row in session.library.runs if row.run_id not in before)
    run: RunState = session.run(run_id)
    return run


def _export(driver: Driver, window: MainWindow, run: RunState, out: Path) -> None:
    bundle = out / "bundle"
    shutil.rmtree(bundle, ignore_errors=True)
    window.session.export_run(run.run_id, bundle)
    driver.wait("exported bundle", lambda: (bundle / "run.sh").exists(), 120.0)


def _copy_journal(agent_home: Path, run: RunState, out: Path) -> None:
    journal = agent_home / RUNS / run.run_id / JOURNAL
    shutil.rmtree(out / JOURNAL, ignore_errors=True)
    if journal.is_dir():
        shutil.copytree(journal, out / JOURNAL)


def _report(run: RunState) -> int:
    steps, losses = run.series("loss")
    if len(steps):
        _say(f"loss           step {int(steps[0]):3d}: {losses[0]:.4f}   step {int(steps[-1]):3d}: {losses[-1]:.4f}")
    evaluations = run.evaluations
    if evaluations:
        first, last = evaluations[0], evaluations[-1]
        _say(f"held-out loss  before:   {first.loss:.4f}   after:    {last.loss:.4f}   ({first.rows} rows)")
    for when, sample in zip(("before", "after"), (run.samples[:1], run.samples[-1:]), strict=True):
        for said in sample:
            _say(f"sample {when} (step {said.step}): {said.prompt}\n    {said.text.strip()}")
    if run.state != FINISHED:
        sys.stderr.write(f"The run did not finish: it is {run.state}. {run.reason}\n")
        return 1
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
