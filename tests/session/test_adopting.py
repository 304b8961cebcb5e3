"""Runs that another computer started on a node come into an empty library with all that they journalled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import FINISHED
from studio import places
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.store.library import Library
from tests.supervisor.conftest import Node, Run

_LONG_MS = 60_000


@pytest.fixture
def finished(luthier_home: Path, tmp_path: Path) -> Iterator[Run]:
    """Return a run of 14 steps that ended on this computer's node; no library knows of it."""
    node = Node(tmp_path)
    node.home = Path(places.agent_home())
    run = node.start(steps=14, state_every=4)
    run.wait_for(FINISHED)
    yield run
    node.end()


def _journal(library: Library, run_id: str) -> dict[str, bytes]:
    whole: dict[str, bytes] = {}
    for block in library.blocks(run_id):
        whole[block.writer] = whole.get(block.writer, b"") + block.body
    return whole


def test_that_a_run_of_another_profile_is_taken_in_byte_for_byte_and_a_forgotten_one_stays_away(
    finished: Run, make_session: Callable[[], Session], qtbot: QtBot
) -> None:
    session, run_id = make_session(), finished.folder.name
    heard: list[str] = []
    session.notice.connect(lambda severity, sentence: heard.append(sentence))
    assert session.library.runs == ()
    session.probe_node(LOCAL_NODE)
    qtbot.waitUntil(lambda: any("started elsewhere" in sentence for sentence in heard), timeout=_LONG_MS)
    entry = session.library.run(run_id)
    assert entry is not None and (entry.state, entry.step) == (FINISHED, 14)
    library = Library(places.library_path())
    kept = _journal(library, run_id)
    assert "rank0" in kept and "supervisor" in kept
    for writer, body in kept.items():
        files = sorted((finished.folder / "journal").glob(f"{writer}.*.jsonl"))
        assert body == b"".join(file.read_bytes() for file in files), writer
    session.delete_run(run_id)
    qtbot.waitUntil(lambda: library.run(run_id) is None, timeout=_LONG_MS)
    assert not library.is_new(run_id)
    library.close()
    session.probe_node(LOCAL_NODE)
    qtbot.waitUntil(lambda: not session._adopting._looking, timeout=_LONG_MS)
    assert session.library.run(run_id) is None


def test_that_deleting_a_run_on_its_node_frees_its_folder_and_labels_are_kept_until_then(
    finished: Run, make_session: Callable[[], Session], qtbot: QtBot
) -> None:
    session, run_id = make_session(), finished.folder.name
    heard: list[str] = []
    session.notice.connect(lambda severity, sentence: heard.append(sentence))
    session.probe_node(LOCAL_NODE)
    qtbot.waitUntil(lambda: any("started elsewhere" in sentence for sentence in heard), timeout=_LONG_MS)
    session.label_runs([run_id], tags=("baseline",), remark="kept for later")
    found: list[list[int]] = []
    session.load_index(lambda index: found.append(index.find("tags=baseline loss<100 later").rows))
    qtbot.waitUntil(lambda: bool(found), timeout=_LONG_MS)
    assert found == [[0]]
    session.delete_runs([run_id], on_nodes=True)
    qtbot.waitUntil(lambda: any("freed on the nodes" in sentence for sentence in heard), timeout=_LONG_MS)
    assert not finished.folder.exists()
    assert session.library.run(run_id) is None
