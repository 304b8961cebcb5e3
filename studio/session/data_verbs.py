"""The user's verbs about data: choose it, look at its rows, change it by steps, take its losses, write a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.data_report import BatchingReport, DataFix, RowView, StepReport, TablePage, TableQuery
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import Step, step_kind
from remote_agent.contract.spec_json import SpecError, spec_to_dict
from remote_agent.contract.wire import to_wire
from studio.background.tasks import Tasks
from studio.session import data_edits
from studio.session.files import short_name
from studio.session.inspecting import Inspecting
from studio.session.nodes import sentence_of
from studio.session.report_rows import ReportRows
from studio.session.row_losses import RowLosses
from studio.session.row_making import RowMaking
from studio.state.draft import Draft

if TYPE_CHECKING:
    from studio.remote.agent import RowsMade
    from studio.remote.call import Progress

NO_NODE = "No node is chosen; losses are taken on one, this computer or another."


class DataVerbs(QObject):
    """What a person can do with the draft's data; the part of the session that the Data page talks to.

    What is asked of the data is answered by a signal. Changes are one step of the undo each.
    """

    notice = Signal(str, str)  # severity (info, warning, error), sentence
    inputs_changed = Signal()  # job, chosen node, inspection, a report of the data
    table_loaded = Signal(object, object)  # TableQuery, TablePage
    table_failed = Signal(str)  # sentence
    row_loaded = Signal(object)  # RowView
    row_failed = Signal(int, str)  # row, sentence
    batching_loaded = Signal(object)  # tuple[BatchingReport, ...]
    step_previewed = Signal(object, object)  # Step, StepReport
    step_failed = Signal(str)  # sentence
    losses_changed = Signal()  # losses_progress, has_losses
    making_changed = Signal()  # making_progress

    draft: Draft
    tasks: Tasks
    node_name: str
    _inspecting: Inspecting
    _losses: RowLosses

    def _look_with(self, inspecting: Inspecting, losses: Path, on_node_failed: Callable[[Exception], None]) -> None:
        """Begin to look at the draft's inputs. ``losses``: the folder that keeps losses; ``on_node_failed`` takes in
        that a node did not answer well."""
        live = inspecting.live
        self._inspecting = inspecting
        self._losses = RowLosses(self.draft, self.tasks, live, inspecting.inputs_maker, losses, self)
        self._making = RowMaking(self.draft, self.tasks, inspecting.inputs_maker, self)
        self._report_rows = ReportRows(live, self.tasks, self)
        self._batching_asked = self._batching_wanted = 0
        self._on_node_failed = on_node_failed
        inspecting.changed.connect(self.inputs_changed)
        inspecting.failed.connect(on_node_failed)
        self._losses.changed.connect(self.losses_changed)
        self._losses.failed.connect(self._on_losses_failed)
        self._making.changed.connect(self.making_changed)
        self._making.made.connect(self._on_made)
        self._making.failed.connect(self._on_losses_failed)
        self._report_rows.notice.connect(self.notice)

    # -- choosing

    def choose_data(self, source: str, path: str, held_out_path: str = "") -> None:
        """Choose the data: ``source`` as `DataSpec.source`, ``path`` a file, folder or Hub id there.

        Steps that name rows by their number are taken out, since other data has other rows there.
        """
        data = self.draft.spec.data
        changes: dict[str, Any] = {
            "data.source": source, "data.path": path, "data.revision": "", "data.held_out_path": held_out_path,
        }  # fmt: skip
        steps = data_edits.without_named_rows(data.steps)
        if (source, path) != (data.source, data.path) and steps != data.steps:
            changes[data_edits.STEPS] = steps
            self.notice.emit("info", "Steps that named rows of the other data were taken out.")
        self.draft.edit(changes)
        self._inspecting.look_at_data_again()

    def add_source(self, source: SourceSpec) -> None:
        """Mix in further data."""
        self.draft.edit(data_edits.with_source(self.draft.spec.data, source), alone=True)

    def set_source(self, number: int, source: SourceSpec) -> None:
        """Change one of the further sources, 0 the first of ``data.more``; a wrong number is passed over."""
        if 0 <= number < len(self.draft.spec.data.more):
            self.draft.edit(data_edits.with_other_source(self.draft.spec.data, number, source))

    def remove_source(self, number: int) -> None:
        """Take one of the further sources out; rows that steps name keep their meaning."""
        data, report = self.draft.spec.data, self.draft.known.data
        known = report.sources if report is not None and report.complete else ()
        if 0 <= number < len(data.more):
            self.draft.edit(data_edits.without_source(data, number, known), alone=True)

    @property
    def data_name(self) -> str:
        """Return the short name of the chosen data, empty where none is."""
        return short_name(self.draft.spec.data.path)

    # -- looking

    @property
    def inspection(self) -> Progress | None:
        """Return what is being looked at, None where nothing is."""
        return self._inspecting.progress

    @property
    def inspection_problem(self) -> str:
        """Return why the last look at the inputs failed, empty where it did not."""
        return self._inspecting.problem

    @property
    def inspection_failed(self) -> bool:
        """Whether the last look at the inputs failed, so that a launch would fail too; not where it was cancelled."""
        return self._inspecting.is_failed

    def inspect(self) -> None:
        """Look at model and data again; it happens by itself when either changes."""
        self._inspecting.look_again()

    def cancel_inspection(self) -> None:
        """End the look at model and data."""
        self._inspecting.cancel()

    def load_table(self, query: TableQuery, start: int, count: int) -> None:
        """Fetch rows of a view of the table; ``table_loaded`` or ``table_failed`` follows."""
        self._inspecting.live.ask(
            "table",
            {"query": to_wire(query), "start": start, "count": count},
            _reader(TablePage),
            lambda page: self.table_loaded.emit(query, page),
            self.table_failed.emit,
        )

    def load_row(self, index: int) -> None:
        """Fetch a row as conversation, text and tokens; ``row_loaded`` or ``row_failed`` follows."""
        self._inspecting.live.ask(
            "row",
            {"index": index},
            _reader(RowView),
            self.row_loaded.emit,
            lambda sentence: self.row_failed.emit(index, sentence),
        )

    def load_batching(self, length: int) -> None:
        """Fetch what batches of a length would hold; ``batching_loaded`` follows.

        While an answer is awaited only the newest length waits behind it, so that a drag never lags.
        """
        self._batching_wanted = length
        if not self._batching_asked:
            self._ask_batching()

    def _ask_batching(self) -> None:
        length = self._batching_asked = self._batching_wanted

        def over() -> None:
            self._batching_asked = 0
            if self._batching_wanted != length:
                self._ask_batching()

        def on_answer(found: tuple[BatchingReport, ...]) -> None:
            self.batching_loaded.emit(found)
            over()

        def on_failed(_: str) -> None:
            self._batching_asked = 0

        self._inspecting.live.ask("batching", {"length": length}, _read_batching, on_answer, on_failed)

    # -- steps and fixes

    def preview_step(self, step: Step) -> None:
        """Find out what a step would do behind the others; ``step_previewed`` or ``step_failed`` follows."""
        self._inspecting.live.ask(
            "step",
            {"step": {"kind": step_kind(step), **spec_to_dict(step)}},
            _reader(StepReport),
            lambda report: self.step_previewed.emit(step, report),
            self.step_failed.emit,
        )

    def add_step(self, step: Step) -> None:
        """Change the rows by one more step."""
        self.draft.edit(data_edits.with_step(self.draft.spec.data, step), alone=True)

    def remove_step(self, number: int) -> None:
        """Take a step out; a wrong number is passed over."""
        if 0 <= number < len(self.draft.spec.data.steps):
            self.draft.edit(data_edits.without_step(self.draft.spec.data, number), alone=True)

    def move_step(self, number: int, to: int) -> None:
        """Put a step at another place of the order; a wrong number is passed over."""
        places = range(len(self.draft.spec.data.steps))
        if number in places and to in places:
            self.draft.edit(data_edits.with_step_moved(self.draft.spec.data, number, to), alone=True)

    def apply_data_fix(self, fix: DataFix) -> None:
        """Mend a finding: its step is added, its fields are set."""
        try:
            changes = data_edits.of_fix(self.draft.spec, fix)
        except SpecError as error:
            self.notice.emit("error", f"{fix.label} cannot be done by this version of Luthier. {error.mistakes[0]}")
            return
        self.draft.edit(changes, alone=True)

    # -- losses and report

    @property
    def losses_progress(self) -> Progress | None:
        """Return how far the taking of the losses is, None where none is under way."""
        return self._losses.progress

    @property
    def has_losses(self) -> bool:
        """Say whether the loss of every row under the base model was taken."""
        return self._losses.is_there

    def take_losses(self) -> None:
        """Take the loss of every row under the base model on the chosen node; ``losses_changed`` follows."""
        if not self.node_name:
            self.notice.emit("error", NO_NODE)
        elif not self.draft.spec.model.id or not self.draft.spec.data.path:
            self.notice.emit("error", "Losses need a model and data; choose both.")
        else:
            self._losses.take()

    def cancel_losses(self) -> None:
        """End the taking of the losses."""
        self._losses.cancel()

    @property
    def making_progress(self) -> Progress | None:
        """Return how far the making of rows is, None where none is under way."""
        return self._making.progress

    def make_rows(self) -> None:
        """Make the rows of the augment steps where the data is looked at; ``making_changed`` follows."""
        model = self._inspecting.model
        if model is None:
            self.notice.emit("error", "Rows are made of what the job trains on; choose model and data first.")
        else:
            self._making.make(model)

    def cancel_making(self) -> None:
        """End the making of rows; what was made is kept."""
        self._making.cancel()

    def save_data_report(self, path: Path) -> None:
        """Write what is known of the data as one HTML file; a notice follows."""
        report = self.draft.known.data
        if report is None:
            self.notice.emit("error", "There is no report yet; the data has not been looked at.")
        else:
            self._report_rows.save(path, self.draft.spec, report)

    def _on_made(self, made: RowsMade) -> None:
        rejected = sum(made.rejected.values())
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(made.rejected.items()))
        ending = f"; {rejected:,} were rejected ({reasons})" if rejected else ""
        self.notice.emit("info", f"{made.rows:,} rows were made in other words{ending}.")
        self._inspecting.look_at_data_again()

    def _on_losses_failed(self, error: Exception) -> None:
        self._on_node_failed(error)
        self.notice.emit("error", sentence_of(error))


def _reader(report_class: type[Any]) -> Any:
    from studio.remote.answers import answer_as  # brings what talks along, which the first paint does not wait for

    return lambda value: answer_as(report_class, value)


def _read_batching(value: Mapping[str, Any]) -> tuple[BatchingReport, ...]:
    from studio.remote.answers import answers_as

    return answers_as(BatchingReport, value.get("batching"))
