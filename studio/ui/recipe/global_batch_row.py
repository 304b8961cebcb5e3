"""The global batch as a number to edit: accumulation follows it, and every change says which number followed."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from remote_agent.contract.batch_arithmetic import batch_for
from remote_agent.contract.job_spec import JobSpec
from studio.state.draft import Draft
from studio.ui import icons, theme, words
from studio.ui.controls import read_int
from studio.ui.knob_control import LineInput
from studio.ui.knob_field import CONTROL_WIDTH, LABEL_WIDTH
from studio.ui.pieces import ElidedLabel, button, plain_label

_DOT_PX = 16


class _Numbers(NamedTuple):
    """What the global batch is the product of."""

    micro: int
    accumulation: int
    ranks: int

    @property
    def product(self) -> int:
        return self.micro * self.accumulation * self.ranks


class GlobalBatchRow(QWidget):
    """A row of the batch card: sequences an update over all ranks, and below it what followed the last change."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self._before = _numbers(draft.spec)
        self.line = LineInput(self._show_value)
        self.line.setObjectName("globalBatch")
        self.line.setFixedWidth(CONTROL_WIDTH)
        self.line.setAccessibleName(self.tr("Global batch"))
        help_text = self.tr(
            "Sequences an update: micro batch × accumulation × ranks. Accumulation follows it; the micro batch only "
            "where it has to."
        )
        self.line.setAccessibleDescription(help_text)
        self.line.editingFinished.connect(self._commit)
        self._tail = ElidedLabel("", "caption")
        self._note = plain_label("", "caption", "batchNote", wraps=True)
        self._keep = button("", "keepGlobalBatch", role="link")
        self._keep.setCursor(Qt.CursorShape.PointingHandCursor)
        self._keep.clicked.connect(self._on_keep)
        self._kept = 0
        self._lay_out(help_text)
        draft.changed.connect(self._on_changed)
        self._show_value()
        self._say("")

    def _lay_out(self, help_text: str) -> None:
        label = QLabel(self.tr("Global batch"))
        label.setFixedWidth(LABEL_WIDTH)
        label.setBuddy(self.line)
        info = QToolButton()
        info.setFixedSize(20, 20)
        info.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        info.setAccessibleName(self.tr("Help on {}").format(label.text()))
        info.setToolTip(help_text)
        icons.set_icon(info, "info", "muted", 14)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addSpacing(_DOT_PX)
        row.addWidget(label)
        row.addSpacing(4)
        row.addWidget(self.line)
        row.addSpacing(8)
        row.addWidget(self._tail, 1)
        row.addWidget(info)
        said = QHBoxLayout()
        said.setContentsMargins(_DOT_PX, 0, 0, 0)
        said.addWidget(self._note, 1)
        said.addWidget(self._keep, 0, Qt.AlignmentFlag.AlignTop)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(row)
        outer.addLayout(said)

    def _show_value(self) -> None:
        self.line.setText(str(_numbers(self._draft.spec).product))
        tokens = words.count(self._draft.plan.global_batch_tokens)
        self._tail.set_text(self.tr("{} tokens").format(tokens))

    def _commit(self) -> None:
        if not self.line.isModified():
            return
        now = _numbers(self._draft.spec)
        try:
            wanted = read_int(self.line.text())
        except ValueError as error:
            self._say(str(error), is_wrong=True)
            return
        ranks = max(1, now.ranks)
        if wanted < 1 or wanted % ranks:
            near = max(1, round(wanted / ranks)) * ranks
            sentence = self.tr("{wanted} does not divide among {ranks} ranks; {near} is the nearest that does.")
            self._say(sentence.format(wanted=words.whole(wanted), ranks=ranks, near=words.whole(near)), True, near)
            return
        self.line.setModified(False)
        self._take(wanted)

    def _take(self, wanted: int) -> None:
        now = _numbers(self._draft.spec)
        micro, accumulation = batch_for(wanted, max(1, now.micro), max(1, now.ranks))
        self._draft.edit({"batch.micro_batch": micro, "batch.accumulation": accumulation}, alone=True)
        self._show_value()

    def _on_keep(self) -> None:
        self.line.setModified(False)
        self._take(self._kept)

    def _on_changed(self) -> None:
        before, now = self._before, _numbers(self._draft.spec)
        self._before = now
        if not self.line.isModified() or before != now:
            self._show_value()
            self._say(*self._what_followed(before, now))

    def _what_followed(self, before: _Numbers, now: _Numbers) -> tuple[str, bool, int]:
        """Return the sentence on what followed, that it is nothing wrong, and the global batch that can be kept."""
        if before == now or before.product <= 0 or now.product <= 0:
            return "", False, 0
        changed = [
            self.tr("{name} {before} → {after}").format(name=name, before=words.whole(old), after=words.whole(new))
            for name, old, new in (
                (self.tr("micro batch"), before.micro, now.micro),
                (self.tr("accumulation"), before.accumulation, now.accumulation),
                (self.tr("ranks"), before.ranks, now.ranks),
            )
            if old != new
        ]
        if before.product == now.product:
            stays = self.tr("{changes}; the global batch stays {batch}.")
            return stays.format(changes=", ".join(changed), batch=words.whole(now.product)), False, 0
        can_keep = before.product % now.ranks == 0
        follows = self.tr("{changes}; the global batch is {after} instead of {before}.")
        sentence = follows.format(
            changes=", ".join(changed), after=words.whole(now.product), before=words.whole(before.product)
        )
        return sentence, False, before.product if can_keep else 0

    def _say(self, sentence: str, is_wrong: bool = False, kept: int = 0) -> None:
        """Show a sentence, and the global batch that one click gives (0 for none)."""
        self._kept = kept
        self._note.setText(sentence)
        self._note.setVisible(bool(sentence))
        theme.set_role(self._note, "problem" if is_wrong else "caption")
        text = self.tr("Use {}") if is_wrong else self.tr("Keep {}")
        self._keep.setText(text.format(words.whole(kept)))
        self._keep.setAccessibleName(self._keep.text())
        self._keep.setVisible(bool(kept))
        mark = "true" if is_wrong else ""
        if self.line.property("wrong") != mark:
            self.line.setProperty("wrong", mark)
            self.line.style().unpolish(self.line)
            self.line.style().polish(self.line)


def _numbers(spec: JobSpec) -> _Numbers:
    return _Numbers(spec.batch.micro_batch, spec.batch.accumulation, spec.strategy.ranks)
