"""Presets and what matters on the recipe: the difference first, one undo, dots back to the preset, rows that matter."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import value_at
from remote_agent.contract.recipe_spec import PointSpec
from remote_agent.contract.regularization_problems import regularization_costs
from studio.state.preset import preset_values
from studio.ui.controls import ChoiceBox
from studio.ui.field_table import FieldTable
from studio.ui.knob_control import FIELDS
from studio.ui.knob_field import DefaultDot, KnobField
from studio.ui.knob_help import HelpPopup
from studio.ui.recipe.parameter_groups_popup import ParameterGroupsPopup
from studio.ui.recipe.preset_picker import PresetPicker
from studio.ui.recipe.recipe_page import RecipePage
from tests.ui.page_session import PageSession, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
LLAMA = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "vocab_size": 100,
    "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": True,
}  # fmt: skip


@pytest.fixture
def session() -> PageSession:
    return filled_session()


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> RecipePage:
    page = RecipePage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1048, 900)
    page.show()
    return page


def use_config(session: PageSession, config: dict[str, object]) -> None:
    model = session.draft.known.model
    assert model is not None
    session.draft.set_known(model=dataclasses.replace(model, config=config))


def row(page: RecipePage, path: str) -> KnobField:
    return next(card.fields[path] for card in page.cards if path in card.fields)


def is_offered(page: RecipePage, path: str) -> bool:
    """Whether a row stands on its card, in front or behind "More"."""
    return not row(page, path).isHidden()


def open_presets(qtbot: QtBot, page: RecipePage) -> PresetPicker:
    page.preset.click()
    return page.findChildren(PresetPicker)[-1]


def test_that_a_preset_shows_what_it_changes_before_it_does(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    session.draft.edit({"optimizer.weight_decay": 0.05})
    before = session.draft.spec
    picker = open_presets(qtbot, page)
    table = picker.findChild(FieldTable, "presetTable")
    assert table is not None and session.draft.spec is before
    lines = [line.split("\t") for line in table.as_tsv().splitlines()]
    assert lines[0] == ["Field", "Now", "Then", "Source"]
    decay = next(line for line in lines if line[0] == "Weight decay")
    assert decay[1:3] == ["0.05", "0.01"] and "arXiv:1711.05101" in decay[3]
    apply = picker.findChild(QPushButton, "presetApply")
    assert apply is not None
    apply.click()
    assert session.draft.spec.optimizer.weight_decay == 0.01
    assert page.preset.text() == "Preset: Classic chat"
    session.draft.undo()
    assert session.draft.spec is before
    assert page.preset.text() == "Start from a published recipe…"


def test_that_a_preset_the_job_is_like_already_says_so(qtbot: QtBot, page: RecipePage, session: PageSession) -> None:
    preset = session.presets[0]
    session.draft.apply_preset(preset.name, preset_values(preset, session.draft.spec))
    picker = open_presets(qtbot, page)
    summary = picker.findChild(QLabel, "presetSummary")
    assert summary is not None and summary.text() == "The job is like this already."
    picker.close()


def test_that_a_dot_leads_back_to_the_preset(qtbot: QtBot, page: RecipePage, session: PageSession) -> None:
    open_presets(qtbot, page).apply()
    dot = row(page, "optimizer.weight_decay").findChild(DefaultDot)
    assert dot is not None and not dot.isVisible()
    session.draft.set_value("optimizer.weight_decay", 0.1)
    assert dot.isVisible() and dot.toolTip() == "Back to 0.01, as in Classic chat"
    qtbot.mouseClick(dot, Qt.MouseButton.LeftButton)
    assert session.draft.spec.optimizer.weight_decay == 0.01


@pytest.mark.parametrize(
    ("changes", "offered", "not_offered"),
    [
        ({"optimizer.kind": "sgd"}, ["optimizer.momentum"], ["optimizer.beta1", "optimizer.epsilon"]),
        ({"optimizer.kind": "lion"}, ["optimizer.beta1"], ["optimizer.momentum", "optimizer.epsilon"]),
        ({"schedule.shape": "wsd"}, ["schedule.cooldown.amount", "schedule.cooldown.shape"], ["schedule.cycles"]),
        ({"schedule.shape": "cosine_restarts"}, ["schedule.cycles"], ["schedule.points", "schedule.power"]),
        ({"schedule.shape": "piecewise"}, ["schedule.points"], ["schedule.minimum_factor"]),
        ({"schedule.shape": "constant"}, [], ["schedule.minimum_factor", "schedule.step_percent"]),
        ({"regularization.averaging": "ema"}, ["regularization.ema_decay"], ["regularization.tail_percent"]),
    ],
)
def test_that_only_fields_that_matter_under_the_choices_are_offered(
    page: RecipePage, session: PageSession, changes: dict[str, object], offered: list[str], not_offered: list[str]
) -> None:
    session.draft.edit(changes)
    assert [path for path in offered if not is_offered(page, path)] == []
    assert [path for path in not_offered if is_offered(page, path)] == []


def test_that_a_field_without_effect_is_shown_where_a_problem_leads_to_it(page: RecipePage) -> None:
    assert not is_offered(page, "schedule.cycles")
    field = page.reveal("schedule.cycles")
    assert field is not None and field.isVisible()


def test_that_every_optimizer_says_its_state_bytes(page: RecipePage, session: PageSession) -> None:
    box = row(page, "optimizer.kind").control
    assert isinstance(box, ChoiceBox)
    details = [str(box.itemData(place, Qt.ItemDataRole.UserRole + 1)) for place in range(box.count())]
    assert dict(zip((box.itemData(place) for place in range(box.count())), details, strict=True)) == {
        "adamw": "8 B / parameter", "adamw_8bit": "2 B / parameter", "lion": "4 B / parameter",
        "muon": "4 or 8 B / parameter", "sgd": "4 B / parameter", "adafactor": "≈ 0 B / parameter",
    }  # fmt: skip
    for kind, said in zip((box.itemData(place) for place in range(box.count())), details, strict=True):
        session.draft.set_value("optimizer.kind", kind)
        assert row(page, "optimizer.kind").tail.whole_text() == said
    session.draft.edit({"optimizer.kind": "sgd", "optimizer.momentum": 0.0})
    assert row(page, "optimizer.kind").tail.whole_text() == "no state"


def test_that_the_parameter_groups_are_told_by_the_models_real_names(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    use_config(session, LLAMA)
    session.draft.edit({"optimizer.layer_decay": 0.5, "optimizer.frozen": ("model.norm.*", "nothing.*")})
    page.groups.click()
    popup = page.findChild(ParameterGroupsPopup)
    assert popup is not None
    table = popup.findChild(FieldTable, "groupTable")
    assert table is not None
    text = table.as_tsv()
    assert "model.embed_tokens.weight" in text
    assert "0.25 × peak = 5e-6" in text and "frozen" in text and "none" in text
    note = popup.findChild(QLabel, "groupsNote")
    assert note is not None and "No parameter is called nothing.*" in note.text()
    table.copy_rows()
    assert QGuiApplication.clipboard().text() == text
    popup.close()


def test_that_a_model_without_dropout_is_said_to_have_none(page: RecipePage, session: PageSession) -> None:
    field = row(page, "regularization.override_dropout")
    use_config(session, LLAMA)
    assert field._note.text().startswith("The model's config has no dropout")
    use_config(session, {**LLAMA, "attention_dropout": 0.0})
    assert field._note.text().startswith("Sets attention_dropout of the model's config.")


def test_that_what_a_part_of_the_regularization_costs_stands_below_it(page: RecipePage, session: PageSession) -> None:
    for path, sentence in regularization_costs(session.draft.spec).items():
        if FIELDS[path].knob.advanced:
            assert sentence in row(page, path)._note.text()
    clip = row(page, "regularization.clip_norm")
    assert clip._note.text() == ""
    session.draft.set_value("regularization.clip_norm", 0.5)
    assert clip._note.text() == regularization_costs(session.draft.spec)["regularization.clip_norm"]


def test_that_a_first_update_without_effect_is_said(page: RecipePage, session: PageSession) -> None:
    field = row(page, "schedule.warmup.start_fraction")
    assert field._note.text().startswith("The first update has a learning rate of 0")
    session.draft.set_value("schedule.warmup.start_fraction", 0.1)
    assert field._note.text() == ""


def test_that_the_help_tells_the_usual_values_and_their_source(qtbot: QtBot, session: PageSession) -> None:
    field = KnobField(session.draft, "optimizer.learning_rate")
    qtbot.addWidget(field)
    popup = HelpPopup(field.paths, field, session.draft.spec)
    qtbot.addWidget(popup)
    texts = [label.text() for label in popup.findChildren(QLabel)]
    assert any(text.startswith("Usual: 2e-6 to 3e-4 (") and "arXiv:2411.15124" in text for text in texts)


def test_that_undo_and_redo_cover_every_field_of_the_recipe(page: RecipePage, session: PageSession) -> None:
    draft = session.draft
    for path in page.paths:
        before = value_at(draft.spec, path)
        after = another(path, before)
        assert after != before, path
        draft.edit({path: after}, alone=True)
        draft.undo()
        assert value_at(draft.spec, path) == before, path
        draft.redo()
        assert value_at(draft.spec, path) == after, path
        draft.undo()


def another(path: str, value: object) -> object:
    knob = FIELDS[path].knob
    if knob.choices:
        return next(choice for choice in knob.choices if choice != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return (*value, PointSpec(50.0, 0.5) if path == "schedule.points" else "model.layers.0.*")
    if isinstance(value, str):
        return value + "another"
    assert isinstance(value, (int, float))
    if knob.high is None or value + 1 <= knob.high:
        return value + 1
    return type(value)(knob.high / 2 if value != knob.high / 2 else knob.high / 4)
