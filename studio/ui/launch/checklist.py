"""The checklist of a launch: a line waits, is under way with a bar, a rate and the time left, is done, or failed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from studio.ui import icons, words
from studio.ui.pieces import ElidedLabel, button, clear_layout, plain_label
from studio.ui.translation import told

WAITING, DOING, DONE, FAILED, WARNED = "waiting", "doing", "done", "failed", "warned"
LONG_S = 10.0
"""After so many seconds without a figure, a line says how long it has been at it, and why that may be."""

_TICK_MS = 1000
_HUB_PAGE = re.compile(r"https://huggingface\.co/[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9]")
"""The only pages of a node's words that a click opens."""

ICONS = {
    WAITING: ("circle", "muted"),
    DOING: ("arrow-circle-right-fill", "accent"),
    DONE: ("check-circle-fill", "good"),
    FAILED: ("x-circle-fill", "bad"),
    WARNED: ("warning-fill", "warning"),
}


class Step(Protocol):
    """One line; `studio.session.launching.LaunchStep` is one."""

    @property
    def key(self) -> str:
        """Return what names the step."""

    @property
    def label(self) -> str:
        """Return what it does."""

    @property
    def state(self) -> str:
        """Return waiting, doing, done, failed or warned."""

    @property
    def detail(self) -> str:
        """Return what came of it."""

    @property
    def done(self) -> float:
        """Return how much is done."""

    @property
    def total(self) -> float:
        """Return of how much, 0 where that is unknown."""

    @property
    def unit(self) -> str:
        """Return what done and total count."""


class Check(NamedTuple):
    """A line of the checklist before the launch."""

    key: str
    label: str
    state: str = WAITING
    detail: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""


class Checklist(QWidget):
    """Lines that are updated in place; ``clock`` gives seconds for the rates."""

    def __init__(self, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self.setObjectName("launchChecklist")
        self.setAccessibleName(self.tr("Steps of the launch"))
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(8)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self.tell_time)

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show the steps as they are now."""
        if [step.key for step in steps] != list(self._lines):
            clear_layout(self._rows)
            self._lines = {step.key: _Line(step.key) for step in steps}
            for line in self._lines.values():
                self._rows.addWidget(line)
        for step in steps:
            self._lines[step.key].show_step(step, self._clock())
        if any(step.state == DOING for step in steps):
            self._tick.start()
        else:
            self._tick.stop()

    def tell_time(self) -> None:
        """Bring the words of the line that is under way up to date."""
        for line in self._lines.values():
            line.tell_time(self._clock())


class _Line(QWidget):
    """Icon, label and detail; below them a bar while the step goes on."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.setObjectName(f"step_{key}")
        self._state = ""
        self._step: Step | None = None
        self._began: tuple[float, float] = (0.0, 0.0)
        self._icon = QLabel()
        self._label = plain_label("")
        self._detail = ElidedLabel("", "caption", Qt.TextElideMode.ElideMiddle)
        self._sentence = plain_label("", "bad", wraps=True)
        self._page = button(self.tr("Open the page"), f"stepPage_{key}")
        self._page.clicked.connect(self._open_page)
        self._page.hide()
        self._bar = QProgressBar()
        self._bar.setObjectName(f"stepBar_{key}")
        self._bar.setTextVisible(False)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._label)
        row.addWidget(self._detail, 1)
        self._below = QWidget()
        below = QVBoxLayout(self._below)
        below.setContentsMargins(26, 0, 0, 0)
        below.setSpacing(4)
        self._progress = ElidedLabel("", "caption")
        below.addWidget(self._bar)
        below.addWidget(self._progress)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row)
        layout.addWidget(self._below)
        indent = QHBoxLayout()
        indent.setContentsMargins(26, 0, 0, 0)
        indent.addWidget(self._sentence, 1)
        indent.addWidget(self._page, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(indent)

    def tell_time(self, now: float) -> None:
        if self._step is not None and self._step.state == DOING:
            self._progress.set_text(self._progress_words(self._step, now))

    def show_step(self, step: Step, now: float) -> None:
        self._step = step
        if step.state != self._state:
            self._state = step.state
            self._began = (now, step.done)
            icon, token = ICONS.get(step.state, ICONS[WAITING])
            icons.set_pixmap(self._icon, icon, token, 18)
            self._label.setEnabled(step.state != WAITING)
        self._label.setText(told(step.label))
        doing, failed = step.state == DOING, step.state == FAILED
        self._below.setVisible(doing)
        self._sentence.setVisible(failed)
        self._sentence.setText(told(step.detail) if failed else "")
        self._page.setVisible(failed and _HUB_PAGE.search(step.detail) is not None)
        if doing:
            self._detail.set_text(told(step.detail))
            self._progress.set_text(self._progress_words(step, now))
            self._bar.setRange(0, 1000 if step.total else 0)
            if step.total:
                self._bar.setValue(round(1000 * min(1.0, step.done / step.total)))
        else:
            self._detail.set_text("" if failed else told(step.detail))
            self._progress.set_text("")
        self.setAccessibleName(f"{self._label.text()}: {self._state_word(step.state)}")
        spoken = told(step.detail) if not doing else self._progress.whole_text()
        self.setAccessibleDescription(spoken)

    def _open_page(self) -> None:
        found = _HUB_PAGE.search(self._step.detail) if self._step is not None else None
        if found is not None:
            QDesktopServices.openUrl(QUrl(found.group()))

    def _progress_words(self, step: Step, now: float) -> str:
        if not step.total:
            return self._long_words(step, now - self._began[0])
        in_bytes = step.unit == "bytes"
        amounts = [words.size(each) if in_bytes else words.whole(round(each)) for each in (step.done, step.total)]
        said = self.tr("{done} of {total}").format(done=amounts[0], total=amounts[1])
        if step.unit and not in_bytes:
            said += f" {step.unit}"
        seconds, gained = now - self._began[0], step.done - self._began[1]
        if seconds < 1.0 or gained <= 0:
            return said
        rate = gained / seconds
        shown = words.size(rate) if in_bytes else words.count(rate)
        left = words.duration((step.total - step.done) / rate)
        return said + "  ·  " + self.tr("{rate}/s, about {time} left").format(rate=shown, time=left)

    def _long_words(self, step: Step, seconds: float) -> str:
        if seconds < LONG_S:
            return ""
        said = self.tr("for {time} now").format(time=words.duration(round(seconds)))
        if step.key == "environment":
            said += "  ·  " + self.tr("the first time, DeepSpeed compiles an operator, which takes minutes")
        return said

    def _state_word(self, state: str) -> str:
        known = {
            WAITING: self.tr("waiting"),
            DOING: self.tr("under way"),
            DONE: self.tr("done"),
            FAILED: self.tr("failed"),
            WARNED: self.tr("with a warning"),
        }
        return known.get(state, state)
