"""What a step did, in a sentence, with the first rows and some texts before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from remote_agent.contract.data_report import StepReport
from remote_agent.contract.data_steps import (
    AugmentStep,
    BalanceStep,
    DeduplicateStep,
    DropStep,
    MapLabelsStep,
    NormaliseStep,
    ReplaceStep,
    Step,
    TruncateStep,
)
from remote_agent.dataset.conversation import Conversation
from remote_agent.dataset.findings.found import rows_word

ROWS_SHOWN = 20
EXAMPLES_SHOWN = 5
_CHARACTERS_SHOWN = 300
_BEFORE_DIFFERENCE = 60


def step_report(
    step: Step,
    rows: int,
    changed: int = 0,
    dropped: int = 0,
    added: int = 0,
    first: Iterable[int] = (),
    examples: Sequence[tuple[str, str]] = (),
) -> StepReport:
    """Return the report of a step that looked at ``rows`` rows."""
    sentence = f"{what_it_does(step)} {_counted(rows, changed, dropped, added)}"
    return StepReport(sentence, changed, dropped, added, tuple(first), tuple(examples))


def made_report(
    step: Step, made: int, rejected: Mapping[str, int], first: Iterable[int], examples: Sequence[tuple[str, str]]
) -> StepReport:
    """Return the report of a step whose rows were made; ``rejected``: results that were not taken, by reason."""
    tried = made + sum(rejected.values())
    sentence = f"{what_it_does(step)} {rows_word(made)} added"
    if rejected:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(rejected.items()))
        share = 100 * sum(rejected.values()) / tried
        sentence += f", {sum(rejected.values()):,} of {tried:,} results rejected ({share:.0f} %: {reasons})"
    return StepReport(f"{sentence}.", added=made, rows=tuple(first), examples=tuple(examples))


def not_made_report(step: Step, rows: int) -> StepReport:
    """Return the report of a step whose rows are still to be made; one that adds none otherwise."""
    if not isinstance(step, AugmentStep):
        return step_report(step, rows)
    return StepReport(f"{what_it_does(step)} none has been made yet.")


def what_it_does(step: Step) -> str:
    """Return what a step is for, up to and without the number of rows."""
    match step:
        case DropStep():
            return f"Drop the finding {step.finding}:" if step.finding else "Drop chosen rows:"
        case DeduplicateStep():
            return "Drop repeats:" if step.threshold >= 1 else f"Drop rows at least {step.threshold:g} alike:"
        case TruncateStep():
            return (
                f"Cut {_whose(step.role)} to the {'first' if step.keep == 'start' else 'last'} {step.tokens:,} tokens:"
            )
        case BalanceStep():
            return f"Balance classes {step.method} to at most {step.ratio:g} times the smallest:"
        case NormaliseStep():
            return "Mend text:"
        case MapLabelsStep():
            return "Rename classes:"
        case ReplaceStep():
            return f"Replace {_short(step.find)!r} by {_short(step.put)!r} in {_whose(step.role)}:"
        case AugmentStep():
            return "Add rows in other words:"


def before_and_after(before: Conversation, after: Conversation) -> tuple[str, str]:
    """Return the first turn that differs, as it was and as it is, cut around the first difference."""
    for old, new in zip(before.turns, after.turns, strict=False):
        if old.content != new.content:
            return _around_difference(old.content, new.content)
    return before.label, after.label


def shown_text(conversation: Conversation | None) -> str:
    """Return the start of what a row says, for a row that is left out or added."""
    if conversation is None:
        return ""
    return cut("\n".join(turn.content for turn in conversation.turns if turn.role != "system"))


def cut(text: str) -> str:
    """Return the start of a text, with … where there is more."""
    return text if len(text) <= _CHARACTERS_SHOWN else text[: _CHARACTERS_SHOWN - 1] + "…"


def _around_difference(before: str, after: str) -> tuple[str, str]:
    shorter = min(len(before), len(after))
    place = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    start = max(0, place - _BEFORE_DIFFERENCE)
    lead = "…" if start else ""
    return lead + cut(before[start:]), lead + cut(after[start:])


def _counted(rows: int, changed: int, dropped: int, added: int) -> str:
    parts: list[tuple[int, Callable[[int], str]]] = [
        (changed, lambda count: f"{rows_word(count)} {'changes' if count == 1 else 'change'}"),
        (dropped, lambda count: f"{rows_word(count)} left out"),
        (added, lambda count: f"{rows_word(count)} added"),
    ]
    said = [word(count) for count, word in parts if count]
    return f"{', '.join(said)} of {rows:,}." if said else f"none of {rows_word(rows)} is concerned."


def _whose(role: str) -> str:
    return {"any": "every turn", "user": "the user's turns", "assistant": "the assistant's turns",
            "system": "system turns"}[role]  # fmt: skip


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
