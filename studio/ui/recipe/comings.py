"""What the values of some fields come to, said beside them: steps of a percentage, bytes of an optimizer, costs."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QCoreApplication

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.optimizer_states import state_bytes_per_parameter
from remote_agent.contract.problem import Known
from remote_agent.contract.regularization_problems import regularization_costs
from remote_agent.contract.schedule import cooldown_steps, first_update_note, warmup_steps
from studio.state.draft import Draft
from studio.ui import words
from studio.ui.knob_control import FIELDS
from studio.ui.translation import told


def comings(draft: Draft, spec: JobSpec) -> Iterator[tuple[str, str]]:
    """Yield (field path, what to say in the unit's place) for a spec that the draft holds or that is being tried."""
    horizon, schedule = draft.horizon, spec.schedule
    known = horizon.total_steps > 0
    for path, unit, steps in (
        ("schedule.warmup.amount", schedule.warmup.unit, warmup_steps(schedule, horizon) if known else 0),
        ("schedule.cooldown.amount", schedule.cooldown.unit, cooldown_steps(schedule, horizon) if known else 0),
    ):
        said = words.counted(steps, _translated("{} step"), _translated("{} steps"))
        yield path, said if known and unit != "steps" else ""
    least = words.short_number(spec.optimizer.learning_rate * schedule.minimum_factor)
    yield "schedule.minimum_factor", _translated("× peak, {}").format(least)
    yield "optimizer.kind", state_words(spec.optimizer.kind, spec.optimizer.momentum)
    yield "optimizer.weight_decay", _translated("matrices only")
    for path, value, nothing in (
        ("batch.max_steps", spec.batch.max_steps, _translated("by epochs")),
        ("evaluation.every_steps", spec.evaluation.every_steps, _translated("only at the end")),
        ("checkpointing.weights_every_steps", spec.checkpointing.weights_every_steps, _translated("only at the end")),
        ("checkpointing.state_every_steps", spec.checkpointing.state_every_steps, _translated("never")),
    ):
        yield path, _translated("steps") if value else nothing


def state_words(kind: str, momentum: float) -> str:
    """Return what an optimizer keeps of each parameter, in bytes."""
    matrices, others = state_bytes_per_parameter(kind, momentum)
    if kind == "adafactor":
        return _translated("≈ 0 B / parameter")
    if not matrices and not others:
        return _translated("no state")
    if matrices != others:
        return _translated("{matrices} or {others} B / parameter").format(
            matrices=words.short_number(matrices), others=words.short_number(others)
        )
    return _translated("{} B / parameter").format(words.short_number(round(matrices, 1)))


def dropouts_of(known: Known) -> tuple[str, ...] | None:
    """Return the dropouts that the model's config has, None where the model is not known."""
    if known.model is None:
        return None
    return tuple(key for key, value in known.model.config.items() if _is_dropout(key, value))


def _is_dropout(key: str, value: object) -> bool:
    named = "dropout" in key or key.endswith("_pdrop")
    return named and isinstance(value, (int, float)) and not isinstance(value, bool)


def costs(draft: Draft, spec: JobSpec) -> Iterator[tuple[str, str]]:
    """Yield (field path, sentence to stand below it): what a part of the regularization costs, and what it acts on.

    Parts that stand in front say it once they are changed, so that the card stays short.
    """
    for path, sentence in regularization_costs(spec).items():
        field = FIELDS[path]
        is_told = field.knob.advanced or value_at(spec, path) != field.default
        said = [_dropout_words(draft.known)] if path == "regularization.override_dropout" else []
        said += [told(sentence)] if is_told else []
        yield path, " ".join(part for part in said if part)
    yield (
        "schedule.points",
        _translated(
            "One point a line: percent of the run and share of the peak. On the plot a double click adds one, dragging "
            "moves it, and Delete removes the one under the mouse."
        ),
    )
    note = first_update_note(spec, draft.horizon)
    yield "schedule.warmup.start_fraction", told(note)


def _dropout_words(known: Known) -> str:
    """Say which dropouts the model's config has, plainly also where it has none."""
    found = dropouts_of(known)
    if found is None:
        return ""
    if not found:
        return _translated("The model's config has no dropout, so this sets nothing; residual dropout works without.")
    return _translated("Sets {} of the model's config.").format(", ".join(found))


def _translated(text: str) -> str:
    return QCoreApplication.translate("recipe", text)
