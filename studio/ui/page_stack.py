"""The pages in the middle of the window, each imported and built when it is first shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QCoreApplication, QSize, Signal
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from studio.session.session import Session
from studio.ui.header import Tab
from studio.ui.knob_field import KnobField
from studio.ui.last_layout import LastLayout

if TYPE_CHECKING:
    from studio.state.run import RunState

JOB_KEYS = ("data", "recipe", "memory", "launch")
_EDGE_TO_EDGE = ("recipe", "memory")  # their scroll areas reach the edges, and their own margins scroll along
_LEAST_WIDTH, _LEAST_HEIGHT = 640, 320
RUN_KEYS = ("monitor", "samples", "log", "config")
COMPARE, LIBRARY = "compare", "library"


class RunPage(Protocol):
    """A page that shows one run."""

    def show_run(self, run: RunState) -> None:
        """Show the run, now and as it changes."""


class RunsPage(Protocol):
    """A page that shows several runs."""

    def show_runs(self, runs: Sequence[RunState]) -> None:
        """Show the runs, now and as they change."""


def job_tabs() -> tuple[Tab, ...]:
    """Return the tabs of a job."""
    names = (
        QCoreApplication.translate("pages", "Data"),
        QCoreApplication.translate("pages", "Recipe"),
        QCoreApplication.translate("pages", "Memory"),
        QCoreApplication.translate("pages", "Launch"),
    )
    return tuple(Tab(key, name) for key, name in zip(JOB_KEYS, names, strict=True))


def run_tabs() -> tuple[Tab, ...]:
    """Return the tabs of a run."""
    names = (
        QCoreApplication.translate("pages", "Monitor"),
        QCoreApplication.translate("pages", "Samples"),
        QCoreApplication.translate("pages", "Log"),
        QCoreApplication.translate("pages", "Config"),
    )
    return tuple(Tab(key, name) for key, name in zip(RUN_KEYS, names, strict=True))


def compare_tabs() -> tuple[Tab, ...]:
    """Return the tab of runs that are compared."""
    return (Tab(COMPARE, QCoreApplication.translate("pages", "Compare")),)


def library_tabs() -> tuple[Tab, ...]:
    """Return the tab of all runs."""
    return (Tab(LIBRARY, QCoreApplication.translate("pages", "Library")),)


class PageStack(QStackedWidget):
    """Builds a page at its first use and keeps it."""

    model_wanted = Signal()
    run_wanted = Signal(str)
    comparison_wanted = Signal(object)

    def __init__(self, session: Session, layout: LastLayout | None = None) -> None:
        super().__init__()
        self._layout = layout
        self._session = session
        self._pages: dict[str, QWidget] = {}
        self._run: RunState | None = None
        self._shown_runs: dict[str, str] = {}
        self.current_key = ""
        self.addWidget(QLabel())

    def minimumSizeHint(self) -> QSize:
        """Return what every page can make do with, so that a page that is not shown widens nothing."""
        return QSize(_LEAST_WIDTH, _LEAST_HEIGHT)

    def show_page(self, key: str) -> QWidget:
        """Show a page and return it. Raises KeyError for an unknown key."""
        page = self.page(key)
        self.current_key = key
        self._hand_over(key)
        self.setCurrentWidget(page)
        return page

    def set_run(self, run: RunState | None) -> None:
        """Let the pages of a run show this one."""
        self._run = run
        if self.current_key in RUN_KEYS and run is not None:
            self._hand_over(self.current_key)

    def compare(self, runs: Sequence[RunState]) -> None:
        """Let the page of compared runs show these."""
        page: RunsPage = self.page(COMPARE)  # type: ignore[assignment]
        page.show_runs(runs)

    def page(self, key: str) -> QWidget:
        """Return a page, built now if it was not yet. Raises KeyError for an unknown key."""
        if key not in self._pages:
            self._pages[key] = self._build(key)
            if key not in _EDGE_TO_EDGE:
                self._pages[key].setContentsMargins(20, 12, 20, 12)
            self.addWidget(self._pages[key])
        return self._pages[key]

    def reveal(self, key: str, path: str) -> bool:
        """Bring a field of a page into view with the keyboard on it; False where the page has no such field."""
        page = self.show_page(key)
        reveal = getattr(page, "reveal", None)  # a page that folds fields away unfolds them itself
        if reveal is not None:
            return reveal(path) is not None
        for field in page.findChildren(KnobField):
            if path in field.paths:
                field.focus()
                return True
        return False

    def _hand_over(self, key: str) -> None:
        if key in RUN_KEYS and self._run is not None and self._shown_runs.get(key) != self._run.run_id:
            self._shown_runs[key] = self._run.run_id
            page: RunPage = self._pages[key]  # type: ignore[assignment]
            page.show_run(self._run)

    def _build(self, key: str) -> QWidget:
        session = self._session
        match key:
            case "data":
                from studio.ui.data.data_page import DataPage

                return DataPage(session)
            case "recipe":
                from studio.ui.recipe.recipe_page import RecipePage

                return RecipePage(session)
            case "memory":
                from studio.ui.memory.memory_page import MemoryPage

                page = MemoryPage(session)
                page.model_wanted.connect(self.model_wanted)
                return page
            case "launch":
                from studio.ui.launch.launch_page import LaunchPage

                return LaunchPage(session)
        return self._build_of_runs(key)

    def _build_of_runs(self, key: str) -> QWidget:
        session = self._session
        match key:
            case "monitor":
                from studio.ui.monitor.monitor_page import MonitorPage

                return MonitorPage(session, layout=self._layout)
            case "samples":
                from studio.ui.monitor.samples_page import SamplesPage

                return SamplesPage(session)
            case "log":
                from studio.ui.monitor.log_page import LogPage

                return LogPage(session)
            case "compare":
                from studio.ui.compare.compare_page import ComparePage

                return ComparePage(session)
            case "library":
                from studio.ui.library.library_page import LibraryPage

                library = LibraryPage(session, self._layout)
                library.run_wanted.connect(self.run_wanted)
                library.comparison_wanted.connect(self.comparison_wanted)
                return library
            case "config":
                from studio.ui.monitor.config_page import ConfigPage

                return ConfigPage(session)
        raise KeyError(key)
