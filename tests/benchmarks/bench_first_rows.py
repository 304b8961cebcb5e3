"""From a choice of data to its first rows: on this computer and on a node over SSH, the first and the next."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.data_report import TablePage, TableQuery
from studio import places
from studio.session.opening import open_session
from studio.session.session import Session
from studio.state.node import READY
from tests.support.model_folder import write_model
from tests.support.sshd import make_known, node_address, running_sshd
from tests.support.tiny import tiny_rows

GOAL_S = 0.5
NEXT_AFTER_S = 2.0
"""How long after the choice before it a person makes the next."""

_LONG_MS = 120_000


@pytest.fixture
def session(luthier_home: Path, qtbot: QtBot) -> Iterator[Session]:
    session = open_session()
    yield session
    session.close()


def _first_rows_s(session: Session, qtbot: QtBot, source: str, path: Path) -> float:
    """Choose data, ask for its first rows as the page does, and return how long it took until they were there."""
    came: list[float] = []

    def take(query: TableQuery, page: TablePage) -> None:
        came.append(time.perf_counter())

    def ask(*told: Any) -> None:
        session.load_table(TableQuery(), 0, 50)

    session.table_loaded.connect(take)
    session._inspecting.live.opened.connect(ask)
    began = time.perf_counter()
    session.choose_data(source, str(path))
    qtbot.waitUntil(lambda: bool(came) or session.inspection_failed, timeout=_LONG_MS)
    assert not session.inspection_failed, session.inspection_problem
    session._inspecting.live.opened.disconnect(ask)
    session.table_loaded.disconnect(take)
    return came[0] - began


@pytest.mark.benchmark
@pytest.mark.parametrize("source", ["desktop", "node"])
def test_how_soon_the_first_rows_of_chosen_data_are_there(
    session: Session, qtbot: QtBot, tmp_path: Path, source: str
) -> None:
    files = [tiny_rows(_made(tmp_path / f"rows-{number}"), 2000) for number in range(4)]
    with running_sshd(tmp_path / "server") as server:
        make_known(server, places.known_hosts_path())
        home = str(tmp_path / "node-home")
        session.add_node(dataclasses.replace(node_address(server), name="box", home=home, python=sys.executable))
        qtbot.waitUntil(lambda: session.hosts["box"].link == READY, timeout=_LONG_MS)
        session.choose_node("box")
        session.choose_model("desktop", str(write_model(tmp_path / "model")))
        live = session._inspecting.live
        machine = "box" if source == "node" else ""
        qtbot.waitUntil(lambda: session.draft.known.model is not None, timeout=_LONG_MS)
        qtbot.waitUntil(lambda: machine in live._spares and live._spares[machine].stream is not None, timeout=_LONG_MS)
        qtbot.wait(3000)  # a person looks for the file
        times = []
        for file in files:
            times.append(_first_rows_s(session, qtbot, source, file))
            qtbot.wait(int(NEXT_AFTER_S * 1000))
        session.close()
    where = "a node over SSH" if source == "node" else "this computer"
    print(
        f"\nload {os.getloadavg()[0]:.1f}: first rows of chosen data on {where} after "
        f"{times[0]:.2f} s, of data chosen {NEXT_AFTER_S:g} s after that each "
        f"{', '.join(f'{one:.2f}' for one in times[1:])} s (goal {GOAL_S:g} s)"
    )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
