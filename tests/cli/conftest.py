"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import spec_to_json
from studio import places
from studio.session.reach import LOCAL_NODE
from studio.store.library import Library
from studio.store.rows import RunRow
from tests.support.journals import RUN_ID
from tests.support.run_folder import RunFolder


@pytest.fixture
def followed(luthier_home: Path) -> RunFolder:
    """A run of this computer that the library knows, whose files the test writes."""
    folder = RunFolder(Path(places.agent_home()))
    library = Library(places.library_path())
    library.save_run(RunRow(RUN_ID, "tiny", LOCAL_NODE, spec_to_json(JobSpec()), "queued"))
    library.close()
    return folder
