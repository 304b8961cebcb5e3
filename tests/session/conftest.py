"""A session on a library of its own, with a model and rows that the real local agent looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio import places
from studio.session.opening import open_session
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from tests.support.agent_home import with_shared_operators
from tests.support.model_folder import write_model
from tests.support.tiny import tiny_model, tiny_rows

LONG_MS = 240_000
"""How long a run on this computer may take."""


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_rows(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="session")
def trained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model with weights, small enough to be trained in seconds."""
    return tiny_model(tmp_path_factory.mktemp("trained") / "tiny")


@pytest.fixture
def make_session(luthier_home: Path, qtbot: QtBot) -> Iterator[Callable[[], Session]]:
    """Return what opens a session on the test's own home; all are closed at the end."""
    opened: list[Session] = []

    def make() -> Session:
        opened.append(open_session())
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def session(make_session: Callable[[], Session]) -> Session:
    assert places.data_dir().is_dir()
    return make_session()


def look(session: Session, qtbot: QtBot) -> None:
    """Wait until a complete report of the inputs as they are now is there."""

    def is_over() -> bool:
        return session.inspection_failed or (
            session.inspection is None and session.draft.known.data is not None and not session.draft.stale
        )

    qtbot.waitUntil(is_over, timeout=60_000)
    assert not session.inspection_failed, session.inspection_problem


@pytest.fixture
def looked_at(session: Session, qtbot: QtBot, model_folder: Path, rows_file: Path) -> Session:
    """Return a session that has looked at 40 rows under a model."""
    session.choose_model("desktop", str(model_folder))
    session.choose_data("desktop", str(rows_file))
    session.draft.set_value("data.max_length", 128)
    look(session, qtbot)
    return session


@pytest.fixture
def ready(luthier_home: Path, session: Session, qtbot: QtBot, trained_model: Path, rows_file: Path) -> Session:
    """Return a session whose 40 rows can be trained on this computer, which is chosen and known."""
    with_shared_operators(luthier_home / "agent-home")
    session.choose_node(LOCAL_NODE)
    session.choose_model("desktop", str(trained_model))
    session.choose_data("desktop", str(rows_file))
    session.draft.edit({"data.max_length": 128, "strategy.precision": "fp32", "strategy.ranks": 1})
    look(session, qtbot)
    qtbot.waitUntil(lambda: session.draft.known.node is not None, timeout=LONG_MS)
    return session
