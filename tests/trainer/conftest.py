"""The runs that the trainer's slow tests look at, done once a session."""

from __future__ import annotations

import pytest

from tests.trainer.launches import Launches, do_launches


@pytest.fixture(scope="session")
def launches(tmp_path_factory: pytest.TempPathFactory) -> Launches:
    """Do all runs, then let the tests look at their journals."""
    return do_launches(tmp_path_factory.mktemp("launches"))
