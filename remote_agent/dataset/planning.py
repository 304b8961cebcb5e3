"""Which rows are trained how often: the job's steps one after the other, then the mixture and the cap."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import StepReport
from remote_agent.contract.data_spec import DataSpec, all_sources
from remote_agent.contract.data_steps import AugmentStep, BalanceStep, DeduplicateStep, DropStep, Step
from remote_agent.dataset.conversation import Conversation, Example
from remote_agent.dataset.findings.near_duplicates import NearDuplicates, first_of_group
from remote_agent.dataset.findings.row_batch import spoken
from remote_agent.dataset.mixture import is_mixture, mixture
from remote_agent.dataset.sources import Advance, Cancelled, check
from remote_agent.dataset.splitting import RowMarks, capped, held_out_of, set_aside
from remote_agent.dataset.steps.finding_rows import check_finding, found_rows, is_of_one_row
from remote_agent.dataset.steps.row_steps import RowStep, applied, row_step
from remote_agent.dataset.steps.set_steps import State, balanced, repeats
from remote_agent.dataset.steps.step_reports import (
    EXAMPLES_SHOWN,
    ROWS_SHOWN,
    before_and_after,
    not_made_report,
    shown_text,
    step_report,
)
from remote_agent.dataset.survey import Survey, Wanted, survey

if TYPE_CHECKING:
    from remote_agent.dataset.corpus import Corpus

READ_PHASE, STEP_PHASE = "rows", "step"
_TEXTS_AT_ONCE = 1024

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


class Plan(NamedTuple):
    """What is decided of every row, training sources first, then the held-out file.

    Attributes:
        rows: how many there are.
        kept: bool [rows], which no step left out.
        train: int32 [rows], how often a pass over the data trains the row: 0, 1, …
        held_out: bool [rows]. A kept row that is neither trained nor held out lies beyond a cap or the mixture.
        steps: what each step of the job did.
        problems: sentences about a split that cannot be made as asked.
        made: how many of the rows, the last ones, augment steps made.
        before: int32 [rows of the files], how often a pass would train each without weights and replay; None where
            there are none. ``train`` counts rows that are too long or have nothing to train on; `remixed` does not.
    """

    rows: int
    kept: Bool
    train: NDArray[np.int32]
    held_out: Bool
    steps: tuple[StepReport, ...]
    problems: tuple[str, ...] = ()
    made: int = 0
    before: NDArray[np.int32] | None = None


def make_plan(corpus: Corpus, progress: Advance, cancelled: Cancelled, with_reports: bool) -> Plan:
    """Return the plan of an indexed corpus. Raises DataError, CancelledError.

    The split goes first, over all rows and with the row-wise steps applied: so no step moves a row from one part to
    the other, and taking a step back leaves the rest as it was.
    """
    data, seed = corpus.job.data, corpus.job.seed
    total, training = _rows(corpus), _training_rows(corpus)
    has_file = any(source.is_held_out for source in corpus.sources)
    main = _main_rows(corpus, training)
    found = _surveyed(corpus, total, _wanted(corpus, with_reports, has_file), progress, cancelled)
    marks = RowMarks(
        None if found.classes is None else found.classes[main],
        None if found.groups is None else found.groups[main],
    )
    aside = np.zeros(0, dtype=np.int64) if has_file else set_aside(len(main), data, seed, marks)
    trained = np.zeros(total, dtype=np.bool_)
    trained[:training] = True
    trained[main[aside]] = False
    state = State(np.ones(total, dtype=np.bool_), np.ones(total, dtype=np.int32), trained)
    deciding = Deciding(corpus, found, progress, cancelled)
    reports = []
    for number, step in enumerate(data.steps):
        state, report = deciding.step(number, step, state, with_reports)
        reports.append(report)
    held_out = np.zeros(total, dtype=np.bool_)
    if has_file:
        held_out[training:] = capped(total - training, data, seed, state.kept[training:])
    else:
        held_out[main] = held_out_of(aside, state.kept[main], data, marks)
    problems = tuple(_problems(corpus, found, has_file))
    times = np.where(state.kept & state.trained, state.times, 0).astype(np.int32)
    train = mixture(times, source_parts(corpus), data, seed)
    before = times if is_mixture(data) else None
    return Plan(total, state.kept, train, held_out, tuple(reports), problems, before=before)


def _rows(corpus: Corpus) -> int:
    return sum(source.rows.indexed for source in corpus.sources)


def _training_rows(corpus: Corpus) -> int:
    return sum(source.rows.indexed for source in corpus.sources if not source.is_held_out)


def _main_rows(corpus: Corpus, training: int) -> Int64:
    """Return the training rows that are not replayed: those that a part can be held out of."""
    main = np.ones(training, dtype=np.bool_)
    for part, spec in zip(source_parts(corpus), all_sources(corpus.job.data), strict=True):
        main[part] = not spec.replay
    return np.flatnonzero(main)


def source_parts(corpus: Corpus) -> list[slice]:
    """Return where the rows of each training source lie."""
    sources = [source for source in corpus.sources if not source.is_held_out]
    return [slice(source.first_row, source.first_row + source.rows.indexed) for source in sources]


def _wanted(corpus: Corpus, with_reports: bool, has_file: bool) -> Wanted:
    data = corpus.job.data
    steps = data.steps
    return Wanted(
        steps=tuple(corpus.row_steps.items()),
        keys_before=tuple(number for number, step in enumerate(steps) if _is_exact(step)),
        changes=with_reports,
        classes=any(isinstance(step, BalanceStep) for step in steps)
        or (data.held_out_by == "class" and not has_file and data.held_out_fraction > 0),
        group_column=data.held_out_column if data.held_out_by == "group" and not has_file else "",
    )


def _is_exact(step: Step) -> bool:
    return isinstance(step, DeduplicateStep) and step.threshold >= 1


def _surveyed(corpus: Corpus, total: int, wanted: Wanted, progress: Advance, cancelled: Cancelled) -> Survey:
    if not wanted.anything():
        return Survey(None, (), None, False, {}, {})
    return survey(corpus.raw(), total, wanted, lambda done: progress(READ_PHASE, done, total, "rows"), cancelled)


def remixed(plan: Plan, is_used: Bool, parts: Sequence[slice], data: DataSpec, seed: int) -> Plan:
    """Return the plan with its mixture made of the rows of which something is trained, so that its shares hold of them.

    Args:
        plan: of `make_plan`, with the rows that steps made or without.
        is_used: bool [rows of the files or more], of which rows something is trained at the job's length.
        parts: where the rows of each training source lie.
        data: the sources.
        seed: the job's.
    """
    if plan.before is None:
        return plan
    files = len(plan.before)
    train = np.array(plan.train)
    train[:files] = mixture(np.where(is_used[:files], plan.before, 0).astype(np.int32), parts, data, seed)
    return plan._replace(train=train)


def _problems(corpus: Corpus, found: Survey, has_file: bool) -> Iterator[str]:
    data = corpus.job.data
    if has_file or not data.held_out_fraction:
        return
    if data.held_out_by == "group" and not found.has_groups:
        yield (
            f"No row has the group column {data.held_out_column!r}, so rows that belong together cannot be kept out of "
            "both parts. Choose another column, or hold out by row."
        )
    if data.held_out_by == "class" and not found.names:
        yield "No row has a class to hold out the same share of. Hold out by row, or name the class column."


class Deciding:
    """Decides steps one after the other over one corpus."""

    def __init__(self, corpus: Corpus, found: Survey, progress: Advance, cancelled: Cancelled) -> None:
        self._corpus = corpus
        self._found = found
        self._progress = progress
        self._cancelled = cancelled
        self._by_row: dict[tuple[str, int], Int64] = {}

    def step(self, number: int, step: Step, state: State, with_report: bool) -> tuple[State, StepReport]:
        """Return the state after step ``number`` and what it did."""
        if number in self._corpus.row_steps:
            return state, self._row_wise(number, step, state, with_report)
        match step:
            case DropStep():
                after = state.without(self._dropped(number, step, state))
            case DeduplicateStep() if step.threshold >= 1:
                after = state.without(repeats(self._found.keys[number], state))
            case DeduplicateStep():
                after = state.without(self._alike(number, step.threshold, state))
            case BalanceStep():
                classes = self._found.classes
                assert classes is not None
                after = balanced(step, classes, state, self._corpus.job.seed, number)
            case _:
                return state, not_made_report(step, int(state.kept.sum()))
        return after, self._report(number, step, state, after, with_report)

    def _row_wise(self, number: int, step: Step, state: State, with_report: bool) -> StepReport:
        if not with_report:
            return step_report(step, int(state.kept.sum()))
        rows = np.flatnonzero(self._found.changed[number] & state.kept)
        change = self._corpus.row_steps[number]
        examples = [
            before_and_after(before, change([before])[0]) for before in self._before(number, rows[:EXAMPLES_SHOWN])
            if before is not None
        ]  # fmt: skip
        return step_report(step, int(state.kept.sum()), changed=len(rows), first=_first(rows), examples=examples)

    def _report(self, number: int, step: Step, before: State, after: State, with_report: bool) -> StepReport:
        dropped = np.flatnonzero(before.kept & ~after.kept)
        more = after.times.astype(np.int64) - before.times
        repeated = np.flatnonzero(after.kept & (more > 0))
        texts: list[str] = []
        shown = dropped if len(dropped) else repeated
        if with_report:
            texts = [shown_text(one) for one in self._before(number, shown[:EXAMPLES_SHOWN])]
        return step_report(
            step,
            int(before.kept.sum()),
            dropped=len(dropped),
            added=int(more[repeated].sum()),
            first=_first(shown),
            examples=[(text, "") if len(dropped) else ("", text) for text in texts],
        )

    def _before(self, number: int, rows: Int64) -> list[Conversation | None]:
        """Return what rows say before step ``number``."""
        raw = self._corpus.raw_at(rows.tolist())
        return [one.conversation for one in applied(raw, self._steps_before(number))]

    def _steps_before(self, number: int) -> list[RowStep]:
        return [change for place, change in self._corpus.row_steps.items() if place < number]

    def _kept(self, number: int, state: State) -> Iterator[Example]:
        """Yield the kept rows as they are before step ``number``."""
        total = int(state.kept.sum())
        rows = applied(self._corpus.raw(state.kept), self._steps_before(number))
        for done, one in enumerate(rows, 1):
            yield one
            if done % _TEXTS_AT_ONCE == 0 or done == total:
                check(self._cancelled)
                self._progress(STEP_PHASE, done, total, "rows")

    def _dropped(self, number: int, step: DropStep, state: State) -> Int64:
        named = np.array([row for row in step.rows if 0 <= row < len(state.kept)], dtype=np.int64)
        if not step.finding:
            return named
        steps = self._corpus.job.data.steps
        row_wise = sum(1 for place in self._corpus.row_steps if place < number)
        if (step.finding, row_wise) not in self._by_row:
            until = min((place for place in self._corpus.row_steps if place > number), default=len(steps))
            later = [one.finding for one in steps[number:until] if isinstance(one, DropStep) and one.finding]
            # What a row alone decides stays, whatever is left out meanwhile: one reading serves the steps that follow.
            kinds = {step.finding, *filter(is_of_one_row, later)} if is_of_one_row(step.finding) else {step.finding}
            found = found_rows(
                self._corpus.job, self._corpus.model, kinds, self._kept(number, state), state.trained, self._progress,
                self._cancelled,
            )  # fmt: skip
            self._by_row.update(((kind, row_wise), rows) for kind, rows in found.items() if is_of_one_row(kind))
        else:
            found = {step.finding: self._by_row[step.finding, row_wise]}
        return np.concatenate([named, found[step.finding]])

    def _alike(self, number: int, threshold: float, state: State) -> Int64:
        near = NearDuplicates(threshold)
        rows: list[int] = []
        examples = self._kept(number, state)
        while chunk := list(itertools.islice(examples, _TEXTS_AT_ONCE)):
            read = [(one.row.index, one.conversation) for one in chunk if one.conversation is not None]
            near.add([spoken(conversation.turns) for _, conversation in read])
            rows += [index for index, _ in read]
        pairs = near.pairs(progress=self._progress, cancelled=self._cancelled)
        left_out = first_of_group(len(rows), pairs) != np.arange(len(rows))
        found: Int64 = np.array(rows, dtype=np.int64)[left_out]
        return found


def _first(rows: Int64) -> tuple[int, ...]:
    return tuple(rows[:ROWS_SHOWN].tolist())


def preview_step(corpus: Corpus, step: Step, plan: Plan, progress: Advance, cancelled: Cancelled) -> StepReport:
    """Return what a step would do behind those of the job. Raises DataError, CancelledError."""
    number = len(corpus.job.data.steps)
    if isinstance(step, DropStep):
        check_finding(step.finding)
    if isinstance(step, AugmentStep):
        rows = int((plan.train > 0).sum())
        return step_report(step, rows, added=round(rows * step.share))
    change = row_step(step, corpus.model)
    if change is not None:
        return _preview_row_wise(corpus, step, change, plan, progress, cancelled)
    wanted = Wanted(
        steps=tuple(corpus.row_steps.items()),
        keys_before=(number,) if _is_exact(step) else (),
        changes=False,
        classes=isinstance(step, BalanceStep),
        group_column="",
    )
    found = _surveyed(corpus, plan.rows, wanted, progress, cancelled)
    return Deciding(corpus, found, progress, cancelled).step(number, step, _state_of(corpus, plan), True)[1]


def _state_of(corpus: Corpus, plan: Plan) -> State:
    """Return how far the job's steps came, as its plan shows it; a mixture hides how often a step made rows come."""
    if not is_mixture(corpus.job.data):
        return State(plan.kept, plan.train, plan.train > 0)
    trained = plan.kept & ~plan.held_out
    trained[_training_rows(corpus) :] = False
    return State(plan.kept, np.ones(plan.rows, dtype=np.int32), trained)


def _preview_row_wise(
    corpus: Corpus, step: Step, change: RowStep, plan: Plan, progress: Advance, cancelled: Cancelled
) -> StepReport:
    total = int(plan.kept.sum())
    changed = 0
    first: list[int] = []
    texts: list[tuple[str, str]] = []
    rows = applied(corpus.raw(plan.kept), list(corpus.row_steps.values()))
    for start in itertools.count(0, _TEXTS_AT_ONCE):
        chunk = [one for one in itertools.islice(rows, _TEXTS_AT_ONCE)]
        if not chunk:
            break
        check(cancelled)
        read = [(one.row.index, one.conversation) for one in chunk if one.conversation is not None]
        after = change([conversation for _, conversation in read])
        for (index, old), new in zip(read, after, strict=True):
            if new is not old and new != old:
                changed += 1
                first += [index] if len(first) < ROWS_SHOWN else []
                texts += [before_and_after(old, new)] if len(texts) < EXAMPLES_SHOWN else []
        progress(STEP_PHASE, min(start + len(chunk), total), total, "rows")
    return step_report(step, total, changed=changed, first=first, examples=texts)
