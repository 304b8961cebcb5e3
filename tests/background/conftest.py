"""Fixtures of the background tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.store.library import Library
from tests.background.followed_node import Node
from tests.support.small_disk import small_disk

__all__ = ["small_disk"]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node whose runs followers follow; what they did not let go of fails the test."""
    library = Library(tmp_path / "library.db")
    made = Node(tmp_path / "runs", library)
    made.folder.mkdir()
    yield made
    for follower in made.made:
        assert follower.stop()
    assert made.agent.open_streams == 0
    library.close()
