"""Why a job's data may not be used: its sources, how the held-out part is set aside, and what the report says."""

from __future__ import annotations

from typing import Any, Iterator, List, Optional, Tuple

from remote_agent.contract.chat_templates import resolve_template
from remote_agent.contract.data_report import DataFix, DataReport
from remote_agent.contract.data_spec import SourceSpec, all_sources
from remote_agent.contract.data_steps import Step
from remote_agent.contract.job_spec import JobSpec, value_at, with_value
from remote_agent.contract.knob import described_fields
from remote_agent.contract.problem import ERROR, WARNING, Fix, Known, Problem, range_sentence
from remote_agent.contract.spec_json import SpecError, spec_from_dict
from remote_agent.contract.step_problems import step_problems

USUAL_REPLAY = 0.05
"""Our own choice. That replay keeps what was learned is shown by Ibrahim et al., 2024, arXiv:2403.08763."""

_BY_ROW = Fix("Hold out by row", (("data.held_out_by", "row"),))


def items_out_of_range(spec: JobSpec) -> Iterator[Problem]:
    """Yield what is out of range in the lists of sources and steps; the fix takes the field's default."""
    for name in ("more", "steps"):
        items = getattr(spec.data, name)
        for number, item in enumerate(items):
            for field in described_fields(type(item)):
                sentence = range_sentence(field.knob, value_at(item, field.path))
                if sentence:
                    mended = _replaced(items, number, with_value(item, field.path, field.default))
                    yield Problem(
                        ERROR, "data.{}[{}].{}".format(name, number, field.path), sentence,
                        Fix("Set to {}".format(field.default), (("data." + name, mended),)),
                    )  # fmt: skip


def data_problems(spec: JobSpec, known: Known) -> Iterator[Problem]:
    """Yield what stands against the data of a job whose values are all in range."""
    yield from _of_sources(spec)
    yield from _of_held_out(spec, known.data)
    yield from _of_reading(spec, known.data)
    yield from step_problems(spec, known.data)
    if known.data is not None:
        yield from _of_report(spec, known.data)


def _of_sources(spec: JobSpec) -> Iterator[Problem]:
    data = spec.data
    sources = all_sources(data)
    for number, source in enumerate(sources):
        where = "data" if not number else "data.more[{}]".format(number - 1)
        if number and not source.path.strip():
            rest = data.more[: number - 1] + data.more[number:]
            yield Problem(
                ERROR, where + ".path", "A further source of data has no path.",
                Fix("Take it out", (("data.more", rest),)),
            )  # fmt: skip
        if source.source == "hub" and not source.revision:
            yield Problem(
                WARNING, where + ".revision",
                "The Hub data has no revision; it is pinned to today's commit at the launch.",
            )  # fmt: skip
    yield from _of_replay(spec)
    for replayed in (False, True):
        yield from _of_weights(spec, [(n, source) for n, source in enumerate(sources) if source.replay == replayed])


def _of_weights(spec: JobSpec, sources: List[Tuple[int, SourceSpec]]) -> Iterator[Problem]:
    """Yield which of the sources, which are mixed with each other, lack a weight; they are given with their numbers."""
    weighted = [source.weight for _, source in sources if source.weight > 0]
    if not weighted:
        return
    for number, source in sources:
        if source.weight == 0:
            yield Problem(
                ERROR, "data.weight" if not number else "data.more[{}].weight".format(number - 1),
                "{} has no weight while other sources have one, so no row of it would be trained. "
                "Give every source a weight, or none.".format(source.path or "A source"),
                _weight_fix(spec, [number for number, _ in sources], min(weighted)),
            )  # fmt: skip


def _weight_fix(spec: JobSpec, numbers: List[int], weight: float) -> Fix:
    """Return the fix that gives those of the sources without a weight the least of the others'."""
    more = tuple(
        with_value(source, "weight", source.weight or weight) if number in numbers else source
        for number, source in enumerate(spec.data.more, 1)
    )
    changes: Tuple[Tuple[str, Any], ...] = (("data.more", more),)
    if 0 in numbers:
        changes = (("data.weight", spec.data.weight or weight),) + changes
    return Fix("Give each {:g}".format(weight), changes)


def _of_replay(spec: JobSpec) -> Iterator[Problem]:
    share, more = spec.data.replay_share, spec.data.more
    replayed = [number for number, source in enumerate(more) if source.replay]
    if share > 0 and not replayed:
        fix = Fix("No replay", (("data.replay_share", 0.0),))
        if more:
            last = with_value(more[-1], "replay", True)
            fix = Fix("Replay the last source", (("data.more", more[:-1] + (last,)),))
        yield Problem(
            ERROR, "data.replay_share",
            "A share of the rows is to be replayed, but no source is marked as replay. Add a source of general data "
            "and mark it.", fix,
        )  # fmt: skip
    elif replayed and share == 0:
        yield Problem(
            ERROR, "data.replay_share",
            "{} is marked as replay, but the replay share is 0, so no row of it would be trained.".format(
                more[replayed[0]].path or "A source"),
            Fix("Set to 5 %", (("data.replay_share", USUAL_REPLAY),)),
        )  # fmt: skip


def _of_held_out(spec: JobSpec, report: Optional[DataReport]) -> Iterator[Problem]:
    data = spec.data
    if data.held_out_path or not data.held_out_fraction:
        return
    column = data.held_out_column
    if data.held_out_by == "group" and not column.strip():
        yield Problem(ERROR, "data.held_out_column", "Held out by group, but no column says what a group is.", _BY_ROW)
    elif data.held_out_by == "group" and report is not None and report.sources:
        without = [source for source in report.sources if column not in source.columns]
        if len(without) == len(report.sources):
            yield Problem(
                ERROR, "data.held_out_column",
                "No source has the group column {!r}; there are {}.".format(column, _columns(report)), _BY_ROW,
            )  # fmt: skip
        elif without:
            yield Problem(
                WARNING, "data.held_out_column",
                "{} has no group column {!r}; each of its rows counts as a group of its own.".format(
                    without[0].path, column),
            )  # fmt: skip
    if data.held_out_by == "class" and has_no_classes(report):
        yield Problem(
            ERROR, "data.held_out_by", "The rows have no class, so no share of each can be held out.", _BY_ROW
        )


def has_no_classes(report: Optional[DataReport]) -> bool:
    """Return whether a whole look at the data found no class."""
    return report is not None and report.complete and not report.classes


def _columns(report: DataReport) -> str:
    names = dict.fromkeys(column for source in report.sources for column in source.columns)
    shown = [repr(name) for name in list(names)[:10]]
    return ", ".join(shown + (["…"] if len(names) > 10 else [])) or "none"


def _of_reading(spec: JobSpec, report: Optional[DataReport]) -> Iterator[Problem]:
    data = spec.data
    try:
        resolve_template(data.chat_template)
    except ValueError as error:
        yield Problem(
            ERROR, "data.chat_template", str(error), Fix("Use the model's own", (("data.chat_template", ""),))
        )
    shapes = {source.shape for source in all_sources(data)}
    shapes |= {source.shape for source in report.sources} if report is not None else set()
    if "classification" in shapes and "{text}" not in data.classification_prompt:
        yield Problem(
            ERROR, "data.classification_prompt",
            "The class prompt has no {text}, so the model would not see the text whose class it learns.",
            Fix("Set to {text}", (("data.classification_prompt", "{text}"),)),
        )  # fmt: skip
    blank = [token for token in data.added_tokens if not token.strip()]
    if blank or len(set(data.added_tokens)) != len(data.added_tokens):
        kept = tuple(dict.fromkeys(token for token in data.added_tokens if token.strip()))
        yield Problem(
            ERROR, "data.added_tokens", "An added token is empty or stands there twice.",
            Fix("Keep the others", (("data.added_tokens", kept),)),
        )  # fmt: skip


def _of_report(spec: JobSpec, report: DataReport) -> Iterator[Problem]:
    if report.complete and report.train_sequences == 0:
        yield Problem(ERROR, "data.path", "No row is left to train on.")
    for finding in report.findings:
        if finding.severity == ERROR:
            yield Problem(ERROR, "data.path", finding.sentence, _as_fix(spec, finding.fixes[:1]))


def _as_fix(spec: JobSpec, fixes: Tuple[DataFix, ...]) -> Optional[Fix]:
    """Return a finding's first fix as values of fields; a step goes behind those of the job."""
    for fix in fixes:
        if fix.step is None:
            return Fix(fix.label, tuple(fix.changes.items()))
        try:
            steps: Tuple[Step, ...] = spec_from_dict({"data": {"steps": [dict(fix.step)]}}).data.steps
        except SpecError:
            # An older desktop may be told of a step that it does not know.
            return None
        return Fix(fix.label, (("data.steps", spec.data.steps + steps),))
    return None


def _replaced(items: Tuple[Any, ...], number: int, item: Any) -> Tuple[Any, ...]:
    changed: List[Any] = list(items)
    changed[number] = item
    return tuple(changed)
