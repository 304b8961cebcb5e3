"""Trackers in the window: a card of the recipe, addresses where they matter, and keys that are never shown."""

from __future__ import annotations

from typing import Any, cast

import pytest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from studio.ui.library.track_dialog import TrackDialog
from studio.ui.recipe.card_plans import card_plans
from studio.ui.recipe.cards import RecipeCard
from studio.ui.recipe.recipe_page import RecipePage
from studio.ui.recipe.tracker_keys_dialog import TrackerKeysDialog
from tests.ui.page_session import PageSession, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def session() -> PageSession:
    return filled_session()


def test_that_an_address_shows_where_its_tracker_is_online_or_is_troubled(qtbot: QtBot, session: PageSession) -> None:
    [plan] = [plan for plan in card_plans() if plan.name == "trackers"]
    card = RecipeCard(session.draft, plan)
    qtbot.addWidget(card)
    card.show()
    server = card.fields["trackers.mlflow_server"]
    assert not server.isVisible()
    assert not card.fields["trackers.project"].isVisible()
    session.draft.edit({"trackers.mlflow": "online"})
    assert server.isVisible()
    assert not card.fields["trackers.trackio_space"].isVisible()
    session.draft.edit({"trackers.mlflow": "offline"})
    assert not server.isVisible()
    session.draft.edit({"trackers.mlflow_server": "https://me:secret@host"})
    qtbot.waitUntil(server.isVisible)


def test_that_keys_are_kept_forgotten_or_left_and_never_shown(qtbot: QtBot, session: PageSession) -> None:
    page = RecipePage(cast(Any, session))
    qtbot.addWidget(page)
    page.show()
    page.tracker_keys.click()
    [dialog] = page.findChildren(TrackerKeysDialog)
    assert dialog.lines["WANDB_API_KEY"].placeholderText() == "A key is kept"
    assert [name for name, forget in dialog.forgets.items() if forget.isVisible()] == ["WANDB_API_KEY"]
    assert {line.echoMode() for line in dialog.lines.values()} == {QLineEdit.EchoMode.Password}
    assert "until Luthier ends" in dialog.note.text()
    dialog.forgets["WANDB_API_KEY"].click()
    dialog.lines["HF_TOKEN"].setText(" hf_new ")
    dialog.keep.click()
    assert session.calls[-1] == ("keep_tracker_keys", {"WANDB_API_KEY": "", "HF_TOKEN": "hf_new"})
    assert QApplication.activeModalWidget() is None


def test_that_a_cancel_keeps_nothing(qtbot: QtBot, session: PageSession) -> None:
    dialog = TrackerKeysDialog(cast(Any, session))
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.lines["HF_TOKEN"].setText("hf_new")
    dialog.reject()
    assert session.calls == []


def test_that_a_run_is_sent_offline_unless_said_otherwise_and_says_what_it_lacks(
    qtbot: QtBot, session: PageSession
) -> None:
    dialog = TrackDialog(cast(Any, session), "r-1")
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.online.isVisible()
    assert dialog.folder.isVisible()
    dialog.kind.set_value("mlflow")
    dialog.kind.activated.emit(dialog.kind.currentIndex())
    assert dialog.online.isVisible()
    assert not dialog.online.isChecked()
    dialog.online.setChecked(True)
    assert dialog.server.isVisible()
    assert not dialog.folder.isVisible()
    dialog.send.click()
    assert dialog.problem.text() == "MLflow needs the address of its server."
    assert dialog.isVisible()
    dialog.server.setText("https://ml.example")
    dialog.send.click()
    assert session.calls[-1][:5] == ("track_run", "r-1", "mlflow", True, "https://ml.example")
