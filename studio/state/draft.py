"""The job being edited: undo and redo over the whole spec, its problems, its plan, and what the inputs made stale."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.batch_arithmetic import BatchPlan, batch_plan
from remote_agent.contract.data_report import DataReport, ModelReport
from remote_agent.contract.job_spec import DataSpec, JobSpec, ModelSpec, value_at, with_value
from remote_agent.contract.model_facts import longest_sequence
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.problems import ERROR, Fix, Known, Problem, changed_fields, problems
from remote_agent.contract.schedule import Horizon
from remote_agent.contract.schedule_problems import known_horizon

TOKENS, TEMPLATE, LENGTH = "tokens", "template", "length"
MERGE_WITHIN_S = 0.8
HISTORY = 500


class _Unset:
    """Stands for an argument that was not given, where None means unknown."""


_UNSET = _Unset()


class _ModelKey(NamedTuple):
    """What identifies the model of a spec."""

    source: str
    id: str
    revision: str


class _Moment(NamedTuple):
    """What an undo goes back to: the spec, and the preset that its fields were compared with."""

    spec: JobSpec
    preset: str
    reference: Mapping[str, Any]


class _TokensKey(NamedTuple):
    """What the token ids of a spec come from."""

    model: _ModelKey
    data: DataSpec
    seed: int


class Draft(QObject):
    """One JobSpec under edit.

    ``changed`` follows every change of spec or knowledge, ``problems_changed`` where the list of problems differs,
    ``notice`` carries (severity, sentence) where the draft reset something by itself.
    """

    changed = Signal()
    problems_changed = Signal()
    notice = Signal(str, str)

    def __init__(
        self, spec: JobSpec | None = None, parent: QObject | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._spec = spec if spec is not None else JobSpec()
        self._known = Known()
        self._model_key: _ModelKey | None = None
        self._tokens_key: _TokensKey | None = None
        self._former_tokenizer = ""
        self._undo: list[_Moment] = []
        self._redo: list[_Moment] = []
        self._preset = ""
        self._reference: Mapping[str, Any] = {}
        self._last_edit: tuple[tuple[str, ...], float] = ((), 0.0)
        self._unread: dict[str, str] = {}
        self._problems = tuple(problems(self._spec, self._known))

    @property
    def spec(self) -> JobSpec:
        """Return the spec as it stands."""
        return self._spec

    @property
    def known(self) -> Known:
        """Return what is known beside the spec and still belongs to it."""
        return self._known

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what stands against the job, errors first."""
        return self._problems

    @property
    def unread(self) -> frozenset[str]:
        """Return the paths of the fields whose control holds something that could not be read."""
        return frozenset(self._unread)

    @property
    def plan(self) -> BatchPlan:
        """Return the batch arithmetic; steps are 0 where neither the whole data nor a number of steps is known."""
        data = self._known.data
        whole = data.train_sequences if data is not None and data.complete else 0
        return batch_plan(self._spec, self._known.train_sequences or whole)

    @property
    def horizon(self) -> Horizon:
        """Return the run's length in updates, epochs and tokens, counted from the data as the trainer does."""
        return known_horizon(self._spec, self._known)

    @property
    def stale(self) -> frozenset[str]:
        """Return which of tokens, template and length were not taken from the inputs that the spec names now.

        Tokens are stale until a complete report of these inputs is there; a report in the making shows rows meanwhile.
        """
        marks: set[str] = set()
        if self._spec.model.id and self._model_key != _model_key(self._spec.model):
            marks |= {TEMPLATE, LENGTH}
        if self._spec.data.path and self._tokens_key != _tokens_key(self._spec):
            marks.add(TOKENS)
        return frozenset(marks)

    @property
    def can_undo(self) -> bool:
        """Say whether there is a change to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Say whether there is a change to do again."""
        return bool(self._redo)

    def set_value(self, path: str, value: Any) -> None:
        """Set one field; quick changes of the same field are one step of the undo. Raises KeyError for a wrong path."""
        self.edit({path: value})

    def apply(self, fix: Fix) -> None:
        """Make a fix's changes as one step of the undo."""
        self.edit(changed_fields(fix))

    def edit(self, changes: Mapping[str, Any], alone: bool = False) -> None:
        """Set several fields as one step of the undo. Raises KeyError for a wrong path.

        Quick changes of the same fields are one step together, unless each of them is ``alone`` a thing to take back.
        """
        spec = self._spec
        for path, value in changes.items():
            kind = type(value_at(spec, path))
            spec = with_value(spec, path, float(value) if kind is float and type(value) is int else value)
        was_unread = [path for path in changes if self._unread.pop(path, "")]
        if spec == self._spec:
            if was_unread:
                self._refresh()
            return
        paths, now = tuple(changes), self._clock()
        is_same = self._last_edit[0] == paths and now - self._last_edit[1] < MERGE_WITHIN_S
        merges = bool(self._undo) and is_same and not alone
        if not merges:
            self._undo.append(self._moment())
            del self._undo[:-HISTORY]
        self._redo.clear()
        self._last_edit = ((), 0.0) if alone else (paths, now)
        self._become(spec)

    @property
    def preset(self) -> str:
        """Return the name of the preset that was applied last, empty where fields are compared with their defaults."""
        return self._preset

    def reference_value(self, path: str, default: Any) -> Any:
        """Return what a field is compared with and goes back to: the preset's value, else its default."""
        return self._reference.get(path, default)

    def apply_preset(self, name: str, values: Mapping[str, Any]) -> None:
        """Set a preset's values and compare with them from now on; both are one step of the undo."""
        before = self._moment()
        self._preset, self._reference = name, dict(values)
        self.edit(values, alone=True)
        if self._spec != before.spec:
            self._undo[-1] = before
        else:  # only what the fields are compared with is another one
            self._undo.append(before)
            self._redo.clear()
            self.changed.emit()

    def set_unread(self, path: str, sentence: str) -> None:
        """Note that what was typed for a field cannot be read, and why; an empty sentence takes that back.

        The field keeps its value, and the job may not start with another one than the person sees.
        """
        if self._unread.get(path, "") == sentence:
            return
        if sentence:
            self._unread[path] = sentence
        else:
            del self._unread[path]
        self._find_problems()

    def settle(self, changes: Mapping[str, Any]) -> None:
        """Set what was found out of the fields as they are, such as the commit of a branch; no step of the undo."""
        spec = self._spec
        for path, value in changes.items():
            spec = with_value(spec, path, value)
        if spec != self._spec:
            self._become(spec)

    def undo(self) -> None:
        """Take the last change back; nothing happens where there is none."""
        if self._undo:
            self._redo.append(self._moment())
            self._go_to(self._undo.pop())

    def redo(self) -> None:
        """Do the change again that was taken back last."""
        if self._redo:
            self._undo.append(self._moment())
            self._go_to(self._redo.pop())

    def _moment(self) -> _Moment:
        return _Moment(self._spec, self._preset, self._reference)

    def _go_to(self, moment: _Moment) -> None:
        self._last_edit = ((), 0.0)
        self._preset, self._reference = moment.preset, moment.reference
        self._become(moment.spec)

    def replace_spec(self, spec: JobSpec) -> None:
        """Open another job: the history starts anew and nothing is known of its inputs; the node stays."""
        self._undo.clear()
        self._redo.clear()
        self._last_edit = ((), 0.0)
        self._model_key, self._tokens_key, self._former_tokenizer = None, None, ""
        self._known = Known(node=self._known.node, gpus=self._known.gpus)
        self._unread.clear()
        self._preset, self._reference = "", {}
        self._become(spec)

    def set_known(
        self,
        *,
        model: ModelReport | _Unset | None = _UNSET,
        data: DataReport | _Unset | None = _UNSET,
        node: NodeReport | _Unset | None = _UNSET,
        gpus: tuple[str, ...] | _Unset = _UNSET,
    ) -> None:
        """Take in what was found of model, data or node, or the GPUs chosen there; what is not given stays as it is.

        A report of the model or the data is taken as one of the inputs that the spec names at this moment. One of the
        data that is not complete is shown, and the tokens stay stale.
        """
        old = self._known
        if isinstance(model, ModelReport):
            self._take_model(model)
        elif model is None:
            self._model_key = None
        if isinstance(data, DataReport):
            self._tokens_key = _tokens_key(self._spec) if data.complete else None
        elif data is None:
            self._tokens_key = None
        self._known = Known(
            model=old.model if isinstance(model, _Unset) else model,
            data=old.data if isinstance(data, _Unset) else data,
            node=old.node if isinstance(node, _Unset) else node,
            gpus=old.gpus if isinstance(gpus, _Unset) else gpus,
        )
        self._refresh()

    def _take_model(self, model: ModelReport) -> None:
        """Put template and length right for another model and say what that was."""
        another = bool(self._former_tokenizer) and self._former_tokenizer != model.tokenizer_hash
        self._former_tokenizer = model.tokenizer_hash
        if another:
            changes, sentence = _reset_for(self._spec, model)
            if changes:
                self.edit(changes)
            self.notice.emit("info", sentence)
        self._model_key = _model_key(self._spec.model)

    def _become(self, spec: JobSpec) -> None:
        if spec.model != self._spec.model and self._model_key != _model_key(spec.model):
            self._known = Known(node=self._known.node, gpus=self._known.gpus)
        if (spec.data.source, spec.data.path) != (self._spec.data.source, self._spec.data.path):
            self._known = Known(model=self._known.model, node=self._known.node, gpus=self._known.gpus)
        self._spec = spec
        self._refresh()

    def _refresh(self) -> None:
        before = self._problems
        self._problems = self._found()
        self.changed.emit()
        if self._problems != before:
            self.problems_changed.emit()

    def _find_problems(self) -> None:
        before, self._problems = self._problems, self._found()
        if self._problems != before:
            self.problems_changed.emit()

    def _found(self) -> tuple[Problem, ...]:
        typed = [
            Problem(ERROR, path, sentence, Fix(f"Set to {_shown(value_at(self._spec, path))}", _kept(self._spec, path)))
            for path, sentence in self._unread.items()
        ]
        return (*typed, *problems(self._spec, self._known))


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kept(spec: JobSpec, path: str) -> tuple[tuple[str, Any], ...]:
    """Return the changes that leave a field as it is."""
    return ((path, value_at(spec, path)),)


def _model_key(model: ModelSpec) -> _ModelKey:
    return _ModelKey(model.source, model.id, model.revision)


def _tokens_key(spec: JobSpec) -> _TokensKey:
    return _TokensKey(_model_key(spec.model), spec.data, spec.seed)


def _reset_for(spec: JobSpec, model: ModelReport) -> tuple[dict[str, Any], str]:
    """Return what another model with another tokenizer resets, and the sentence that says so."""
    changes: dict[str, Any] = {}
    said = ["token counts are taken anew"]
    if spec.data.chat_template:
        changes["data.chat_template"] = ""
        said.append("the chat template is the model's own again")
    limit = longest_sequence(model.config)
    if 0 < limit < spec.data.max_length:
        changes["data.max_length"] = limit
        said.append(f"the sequence length went from {spec.data.max_length} to the model's limit of {limit}")
    return changes, f"The model has another tokenizer: {', '.join(said)}."
