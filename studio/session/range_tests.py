"""Learning-rate range tests of the open job: started on the chosen node as runs of their own, and found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.problems import blocking, problems
from remote_agent.contract.range_test import RangeTest, is_range_test, range_test_job, range_test_mistake
from remote_agent.contract.spec_json import SpecError, spec_from_json
from studio.remote.transport import NodeAddress
from studio.session.launcher import Launcher
from studio.session.open_runs import OpenRuns
from studio.session.shelf import Shelf
from studio.state.draft import Draft
from studio.store.rows import RunRow

if TYPE_CHECKING:
    from studio.state.run import RunState


class RangeTests(QObject):
    """Starts a range test for the draft and finds the newest one. ``changed`` follows a start, successful or not."""

    changed = Signal()

    def __init__(
        self,
        draft: Draft,
        launcher: Launcher,
        shelf: Shelf,
        runs: OpenRuns,
        address: Callable[[], NodeAddress | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._draft, self._launcher, self._shelf, self._runs, self._address = draft, launcher, shelf, runs, address
        launcher.changed.connect(self.changed)

    def start(self, test: RangeTest) -> None:
        """Start a range test on the chosen node. Raises ValueError with a sentence where it cannot."""
        address = self._address()
        if self._launcher.is_launching:
            raise ValueError("A launch is under way; the range test can start after it.")
        if address is None:
            raise ValueError("No node is chosen; choose one on the Launch page.")
        mistake = range_test_mistake(test)
        if mistake:
            raise ValueError(mistake)
        spec = range_test_job(self._draft.spec, test)
        found = blocking(problems(spec, self._draft.known))
        if found:
            raise ValueError(f"The job cannot start yet. {found[0].sentence}")
        self._launcher.launch(spec, self._draft.known, address, self._on_started)

    def latest(self) -> RunState | None:
        """Return the newest range test of the open job's name and model, None where there is none."""
        wanted = range_test_job(self._draft.spec)
        for row in self._shelf.runs():
            if row.name == wanted.name and _is_test_of(row, wanted):
                return self._runs.run(row.run_id)
        return None

    def _on_started(self, row: RunRow) -> None:
        self._shelf.show_run(row)
        self._runs.run(row.run_id)
        self.changed.emit()


def _is_test_of(row: RunRow, wanted: JobSpec) -> bool:
    try:
        spec = spec_from_json(row.job)
    except SpecError:
        return False
    return is_range_test(spec) and spec.model.id == wanted.model.id
