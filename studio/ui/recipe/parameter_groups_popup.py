"""The parameter groups of the draft's model as a table: real names, counts, learning rate and decay of each."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from remote_agent.contract.optimizer_states import optimizer_state_bytes
from remote_agent.contract.parameter_groups import ParameterGroup, idle_patterns, name_families, parameter_groups
from remote_agent.contract.parameter_names import names_of_config
from studio.state.draft import Draft
from studio.ui import words
from studio.ui.field_table import FieldRow, FieldTable
from studio.ui.pickers.popup import Popup
from studio.ui.pieces import plain_label

_WIDTH, _ROW_PX, _MOST_ROWS = 820, 31, 12
_SHOWN_NAMES = 1


class ParameterGroupsPopup(Popup):
    """What each parameter of the model is trained with, from the model's config and the draft's optimizer."""

    def __init__(self, draft: Draft, parent: QWidget) -> None:
        super().__init__(self.tr("Parameter groups"), "parameterGroups", parent, _WIDTH)
        model, spec = draft.known.model, draft.spec.optimizer
        shapes = names_of_config(model.config) if model is not None else ()
        if not shapes:
            self.body.addWidget(plain_label(self._why_nothing(draft), "muted", "groupsNote", wraps=True))
            return
        groups = parameter_groups(shapes, spec)
        self.table = FieldTable(
            [
                self.tr("Parameters"),
                self.tr("Count"),
                self.tr("Learning rate"),
                self.tr("Weight decay"),
                self.tr("Rule"),
            ],
            "groupTable",
            self.tr("Parameter groups"),
            stretch=(0,),
        )
        self.table.show_rows([self._row(group, spec.learning_rate) for group in groups])
        self.table.setFixedHeight(_ROW_PX * (min(len(groups), _MOST_ROWS) + 1) + 4)
        self.body.addWidget(self.table)
        trained = sum(group.count for group in groups if not group.frozen)
        frozen = sum(group.count for group in groups if group.frozen)
        states = words.size(optimizer_state_bytes(shapes, spec))
        said = [
            self.tr("{count} parameters are trained; the optimizer keeps {size} for them, by the formula.").format(
                count=words.count(trained), size=states
            )
        ]
        if frozen:
            said.append(self.tr("{} are frozen.").format(words.count(frozen)))
        for pattern, near in idle_patterns([name for name, _ in shapes], spec.frozen):
            sentence = self.tr("No parameter is called {pattern}; near it: {names}.")
            said.append(sentence.format(pattern=pattern, names=", ".join(near) or "–"))
        self.body.addWidget(plain_label(" ".join(said), "muted", "groupsNote", wraps=True))

    def _why_nothing(self, draft: Draft) -> str:
        if draft.known.model is None:
            return self.tr("Choose a model first; the names come from its config.")
        return self.tr("The names of this kind of model are known on the node only; the run's log lists its groups.")

    def _row(self, group: ParameterGroup, peak: float) -> FieldRow:
        families = [f"{name} × {count}" if count > 1 else name for name, count in name_families(group.names)]
        shown = ", ".join(families[:_SHOWN_NAMES])
        if len(families) > _SHOWN_NAMES:
            shown = self.tr("{names} and {count} more").format(names=shown, count=len(families) - _SHOWN_NAMES)
        if group.frozen:
            return FieldRow((shown, words.count(group.count), self.tr("frozen"), "–", "–"), "\n".join(families))
        rate = self.tr("{factor} × peak = {rate}").format(
            factor=words.short_number(group.lr_factor), rate=words.short_number(group.lr_factor * peak)
        )
        if group.lr_factor == 1.0:
            rate = words.exact_float(peak)
        decay = words.exact_float(group.weight_decay) if group.weight_decay else self.tr("none")
        return FieldRow((shown, words.count(group.count), rate, decay, words.choice(group.rule)), "\n".join(families))
