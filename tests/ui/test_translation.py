"""The translations: whole, true to their placeholders, compiled as committed, and no text cut that grows by 40 %."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTranslator
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QSizePolicy, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.data_report import TablePage, TableQuery
from remote_agent.contract.job_spec import JobSpec
from studio.background.tasks import Tasks
from studio.state.run import RunState
from studio.ui import theme, translation
from studio.ui.main_window import MainWindow
from studio.ui.monitor.stop_dialog import StopDialog
from studio.ui.pickers.popup import Tabs
from studio.ui.pieces import ElidedLabel
from studio.ui.recipe.cards import RecipeCard
from tests.ui.data_samples import table_rows
from tests.ui.page_session import filled_session, fold_middle, fold_start, fold_steps, new_run, row_view

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
ROOT = Path(__file__).parents[2]
RESOURCES = ROOT / "resources"
SOURCE = RESOURCES / "translations" / "luthier_vi.ts"
JOB_PAGES, RUN_PAGES = ("data", "recipe", "memory", "launch"), ("monitor", "samples", "log", "config")


class Message(NamedTuple):
    """One text of the .ts and its translation."""

    context: str
    source: str
    translated: str
    is_finished: bool


def messages(path: Path = SOURCE) -> list[Message]:
    found = []
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            made = message.find("translation")
            assert made is not None
            finished = made.get("type") is None and bool(made.text)
            found.append(
                Message(context.findtext("name") or "", message.findtext("source") or "", made.text or "", finished)
            )
    return found


def placeholders(text: str) -> list[str]:
    """Return the placeholders; those without a name are filled by their order, so that they are all alike."""
    return sorted(re.findall(r"\{[^}]*\}|%n", text))


def a_run() -> RunState:
    run = new_run()
    fold_start(run, 270)
    fold_steps(run, 1, 186, 270)
    fold_middle(run)
    return run


def window_session() -> Any:
    """Return a session on which the whole window opens, with a job, its inputs and a run that is under way."""
    session: Any = filled_session()
    session.tasks, session.job_id = Tasks(session), "job"
    session.new_job = session.rename_job = session.inspect
    session.runs["r-1"] = a_run()
    return session


@pytest.fixture
def session(qapp: QApplication, qtbot: QtBot) -> Iterator[Any]:
    theme.start(qapp, RESOURCES, Qt.ColorScheme.Light)
    session = window_session()
    yield session
    session.tasks.close()
    session.deleteLater()
    QCoreApplication.sendPostedEvents(session, QEvent.Type.DeferredDelete)


def open_window(qtbot: QtBot, session: Any) -> MainWindow:
    window = MainWindow(session)
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.ready):
        window.show()
    qtbot.waitUntil(lambda: "pyqtgraph" in sys.modules and not window.header.launch.icon().isNull(), timeout=20_000)
    return window


def show_page(window: MainWindow, session: Any, key: str) -> QWidget:
    """Show a page with all that its session has to show, laid out."""
    if key in RUN_PAGES and not window._run_id:
        window.show_run("r-1")
    window.show_tab(key)
    if key == "data":
        session.table_loaded.emit(TableQuery(), TablePage(0, table_rows(TableQuery(), 0, 100), 4128, True))
        session.row_loaded.emit(row_view(0))
    QApplication.processEvents()
    QApplication.processEvents()
    return window.pages.page(key)


@pytest.fixture
def vietnamese(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(translation.VARIABLE, "vi")
    before = set(qapp.findChildren(QTranslator))
    assert translation.start(qapp, RESOURCES) == "vi"
    yield
    monkeypatch.setenv(translation.VARIABLE, "en")
    translation.start(qapp, RESOURCES)
    for translator in set(qapp.findChildren(QTranslator)) - before:
        qapp.removeTranslator(translator)
        translator.deleteLater()


class Stretched(QTranslator):
    """Makes every text longer by 40 %, word by word, and leaves placeholders alone."""

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, text: str, note: str | None = None, n: int = -1) -> str:
        owed = 0.0
        parts = re.split(r"(\{[^}]*\}|\s+)", text)
        for number, part in enumerate(parts):
            if part and not part.isspace() and not part.startswith("{"):
                owed += 0.4 * len(part)
                last = max((letter for letter in part if letter.isalpha()), key=part.rindex, default="")
                if last:
                    at = part.rindex(last)
                    parts[number] = part[: at + 1] + last * round(owed) + part[at + 1 :]
                    owed -= round(owed)
        return "".join(parts)


@pytest.fixture
def stretched(qapp: QApplication) -> Iterator[None]:
    translator = Stretched(qapp)
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)
    translator.deleteLater()


def is_cut(widget: QWidget) -> bool:
    """Whether a label or button has less room than its text needs; what elides or ends in a tooltip by design never."""
    if isinstance(widget, ElidedLabel) or not isinstance(widget, QLabel | QPushButton) or not widget.text():
        return False
    if widget.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Ignored and widget.toolTip():
        return False
    if isinstance(widget, QLabel) and widget.wordWrap():
        return widget.heightForWidth(widget.width()) > widget.height() or longest_word(widget) > widget.width()
    return widget.sizeHint().width() > widget.width()


def longest_word(label: QLabel) -> int:
    """Return the width of the longest word in pixels: a label breaks its text between words only."""
    return max(label.fontMetrics().horizontalAdvance(word) for word in label.text().split())


def cut_texts(window: QWidget, place: str) -> list[str]:
    """Return the visible texts of a window that are cut, or that stand beyond its edge."""
    found = []
    for widget in window.findChildren(QWidget):
        if isinstance(widget, QLabel | QPushButton) and widget.isVisible() and widget.text():
            right = widget.mapTo(window, widget.rect().topRight()).x()
            if is_cut(widget) or right > window.width():
                hint = widget.sizeHint()
                found.append(
                    f"{place}: {type(widget).__name__} {widget.objectName()} “{widget.text()}” is "
                    f"{widget.width()}×{widget.height()}, needs {hint.width()}×{hint.height()}, right edge {right}"
                )
    return found


def test_that_every_text_has_a_finished_vietnamese_translation() -> None:
    assert len(messages()) > 600
    assert not [message for message in messages() if not message.is_finished]


def test_that_a_translation_keeps_the_placeholders_and_the_ends_of_its_text() -> None:
    for message in messages():
        assert placeholders(message.source) == placeholders(message.translated), message
        for end in (".", "…", "?", " "):
            assert message.source.endswith(end) == message.translated.endswith(end), message
        assert message.source.startswith(" ") == message.translated.startswith(" "), message


def test_that_the_committed_translations_are_what_the_code_and_the_tools_make_of_them(tmp_path: Path) -> None:
    shutil.copy(SOURCE, tmp_path)
    made = subprocess.run(
        [sys.executable, str(ROOT / "packaging" / "translations.py"), "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    new = {text.source for text in messages(tmp_path / SOURCE.name)} - {text.source for text in messages()}
    hint = f"run `make translations`, translate {sorted(new)}, and run it again"
    assert (tmp_path / SOURCE.name).read_text("utf-8") == SOURCE.read_text("utf-8"), hint
    assert (tmp_path / "luthier_vi.qm").read_bytes() == SOURCE.with_suffix(".qm").read_bytes(), hint


def test_that_the_compiled_translation_answers_for_every_text(vietnamese: None) -> None:
    for message in messages():
        assert QCoreApplication.translate(message.context, message.source) == message.translated


@pytest.mark.parametrize(
    ("named", "preferred", "expected"),
    [
        ("", ["vi-Latn-VN", "vi-VN", "vi"], "vi"),
        ("", ["de-DE", "de", "vi-VN"], "vi"),
        ("", ["en-US", "vi-VN"], "en"),
        ("", ["C"], "en"),
        ("vi_VN.UTF-8", ["en-US"], "vi"),
        ("en", ["vi-VN"], "en"),
        ("tlh", ["vi-VN"], "en"),
    ],
)
def test_that_the_language_is_the_environments_or_the_first_of_the_systems(
    named: str, preferred: list[str], expected: str
) -> None:
    assert translation.language_of({translation.VARIABLE: named} if named else {}, preferred) == expected


def test_that_the_application_starts_in_the_language_that_is_named(luthier_home: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from studio.app import make_application as make; app = make(['luthier']); "
         "print(app.translate('pages', 'Recipe').encode())"],
        env={**os.environ, translation.VARIABLE: "vi"}, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == repr("Công thức".encode())


def test_that_english_makes_no_translator(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(translation.VARIABLE, "en")
    before = len(qapp.findChildren(QTranslator))
    assert translation.start(qapp, RESOURCES / "of no use") == "en"
    assert len(qapp.findChildren(QTranslator)) == before


def test_that_a_translation_that_is_missing_is_told(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(translation.VARIABLE, "vi")
    with pytest.raises(OSError, match="LUTHIER_LANGUAGE=en"):
        translation.start(qapp, tmp_path)


def test_that_the_window_speaks_vietnamese(qtbot: QtBot, vietnamese: None, session: Any) -> None:
    window = open_window(qtbot, session)
    assert [tab.text for tab in window.header.tabs] == ["Dữ liệu", "Công thức", "Bộ nhớ", "Khởi chạy"]
    window.show_run("r-1")
    assert [tab.text for tab in window.header.tabs] == ["Theo dõi", "Mẫu thử", "Nhật ký", "Cấu hình"]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("No model is chosen.", "Chưa chọn mô hình."),
        ("12 processes need 12 GPUs; gpu-box has 8.", "12 tiến trình cần 12 GPU; gpu-box chỉ có 8."),
        ("Weight decay is -1; the least is 0.", "Suy giảm trọng số đang là -1; ít nhất phải là 0."),
        ("112 rows repeating an earlier one word for word.", "112 dòng lặp lại nguyên văn một dòng trước đó."),
        (
            "Saving weights every 900 steps never happens in a run of 270.",
            "Lưu trọng số sau mỗi 900 bước sẽ không bao giờ xảy ra trong lượt chạy 270 bước.",
        ),
        ("The job cannot start yet. No model is chosen.", "Công việc chưa thể bắt đầu. Chưa chọn mô hình."),
        ("A node says {what} it likes.", "A node says {what} it likes."),
        ("", ""),
    ],
)
def test_that_a_finished_sentence_is_told_in_vietnamese_with_its_values(
    vietnamese: None, sentence: str, expected: str
) -> None:
    assert translation.told(sentence) == expected


def test_that_every_problem_of_a_bad_job_is_told_in_vietnamese(vietnamese: None, session: Any) -> None:
    draft = session.draft
    draft.edit({
        "strategy.ranks": 12, "strategy.offload_parameters": True, "schedule.warmup.amount": 900.0,
        "schedule.warmup.unit": "steps", "evaluation.every_steps": 5000, "data.max_length": 99999,
        "data.held_out_fraction": 0.0, "checkpointing.save_at_end": False,
    })  # fmt: skip
    assert len(draft.problems) > 6
    for problem in draft.problems:
        if "empty answer" not in problem.sentence:  # the report's own words
            assert translation.told(problem.sentence) != problem.sentence
        if problem.fix is not None:
            assert translation.told(problem.fix.label) != problem.fix.label


def test_that_sentences_stay_as_they_are_in_english(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(translation.VARIABLE, "en")
    translation.start(qapp, RESOURCES)
    assert translation.told("No model is chosen.") == "No model is chosen."


@pytest.mark.parametrize("language", ["vietnamese", "stretched"])
def test_that_no_text_of_any_page_is_cut_in_a_longer_language(
    qtbot: QtBot, request: pytest.FixtureRequest, session: Any, language: str
) -> None:
    request.getfixturevalue(language)
    session.draft.edit({"schedule.warmup.amount": 900.0, "schedule.warmup.unit": "steps", "strategy.ranks": 12})
    window = open_window(qtbot, session)
    cut = []
    for key in (*JOB_PAGES, *RUN_PAGES):
        page = show_page(window, session, key)
        for card in page.findChildren(RecipeCard):
            card.set_open(True)
        QApplication.processEvents()
        cut += cut_texts(window, key)
    assert (window.width(), window.height()) == (1280, 800)
    assert not cut, "\n" + "\n".join(dict.fromkeys(cut))


@pytest.mark.parametrize("language", ["vietnamese", "stretched"])
def test_that_no_text_is_cut_where_nothing_is_chosen_yet_and_in_what_opens_over_the_window(
    qtbot: QtBot, request: pytest.FixtureRequest, session: Any, language: str
) -> None:
    request.getfixturevalue(language)
    session.draft.replace_spec(JobSpec())
    session.draft.set_known(model=None, data=None, node=None)
    window = open_window(qtbot, session)
    cut = []
    for key in JOB_PAGES:
        show_page(window, session, key)
        cut += cut_texts(window, f"empty {key}")
    for kind in ("model", "data", "node"):
        window.open_picker(kind)
        QApplication.processEvents()
        popup = QApplication.activePopupWidget()
        assert popup is not None
        for tab in range(max([tabs.stack.count() for tabs in popup.findChildren(Tabs)], default=1)):
            for tabs in popup.findChildren(Tabs):
                tabs.show_page(tab)
            QApplication.processEvents()
            cut += cut_texts(popup, f"{kind} picker {tab}")
        popup.close()
    dialog = StopDialog("docstrings", 186, 100, window)
    qtbot.addWidget(dialog)
    dialog.show()
    QApplication.processEvents()
    cut += cut_texts(dialog, "stopping")
    assert not cut, "\n" + "\n".join(dict.fromkeys(cut))
