"""Chooses what is trained on, here, on the node or of the Hub, and optionally a file of rows that never are."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from remote_agent.contract.data_spec import SourceSpec
from studio.session.data_edits import without_named_rows
from studio.ui.data.described_form import DescribedForm
from studio.ui.dropped import DATA_ENDINGS
from studio.ui.pickers.path_row import PathRow
from studio.ui.pickers.popup import Popup, Tabs, ask_for_path
from studio.ui.pickers.remote_browser import RemoteBrowser
from studio.ui.pieces import ElidedLabel, button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session


class DataPicker(Popup):
    """Picking the training data closes the popup; the held-out file is chosen beside it and may stay empty.

    With ``adds`` what is picked becomes one more source beside those that there are.
    """

    def __init__(self, session: Session, parent: QWidget, adds: bool = False) -> None:
        heading = self.tr("Another source") if adds else self.tr("Training data")
        super().__init__(heading, "dataPicker", parent)
        self._session = session
        self._adds = adds
        self._node = session.node_name
        data = session.draft.spec.data
        self._here = PathRow(
            "dataPath", self.tr("Training data on this computer"), self.tr("Use this data"),
            files=True, folders=True, filters=self.file_filters(),
        )  # fmt: skip
        self._here.chosen.connect(lambda path: self._choose("desktop", path))
        if data.source == "desktop" and not adds:
            self._here.line.setText(data.path)
        self._browser: RemoteBrowser | None = None
        self.tabs = Tabs(
            (
                (self.tr("This computer"), "dataFromDesktop", self._desktop_page()),
                (self._node_words(), "dataFromNode", self._node_page()),
                (self.tr("Hub"), "dataFromHub", self._hub_page()),
            ),
            self.tr("Where the data lies"),
        )
        self.tabs.stack.currentChanged.connect(self._on_page)
        self.body.addWidget(self.tabs, 1)
        held_out = self._held_out_row()
        self.body.addWidget(held_out)
        held_out.setHidden(adds)
        self.tabs.show_page({"node": 1, "hub": 2}.get(data.source, 0))

    def file_filters(self) -> str:
        """Return the name filter of the file dialog."""
        endings = " ".join(f"*{ending}" for ending in DATA_ENDINGS)
        rows, everything = self.tr("Rows"), self.tr("All files (*)")
        return f"{rows} ({endings});;{everything}"

    def _desktop_page(self) -> QWidget:
        said = self.tr(
            "JSON, JSONL, CSV, TSV, Parquet, Arrow, text or Markdown, also .gz and .zst, one file or a folder of "
            "them. It stays here until the launch sends it."
        )
        return _column(plain_label(said, "muted", wraps=True), self._here)

    def _node_words(self) -> str:
        """Return the tab's words: the node's name, unless it is this computer, which has a tab already."""
        node = self._session.node
        return told(self._node) if node is not None and not node.is_local else self.tr("Node")

    def _node_page(self) -> QWidget:
        if not self._node:
            return _column(
                plain_label(self.tr("Choose a node first; then its folders appear here."), "muted", wraps=True)
            )
        self._browser = RemoteBrowser(self._session, self._node, "dataBrowser", folders_only=False)
        self._browser.chosen.connect(lambda path: self._choose("node", path))
        return _column(self._browser)

    def _hub_page(self) -> QWidget:
        data = self._session.draft.spec.data
        said = self.tr(
            "A data set of the Hub. Its rows are fetched by the chosen node (or this computer) and kept there; the "
            "revision is pinned to its commit."
        )
        shown = SourceSpec(path=data.path, revision=data.revision, subset=data.subset, split=data.split)
        self._hub = DescribedForm("hub", SourceSpec, ("path", "revision", "subset", "split"))
        if data.source == "hub" and not self._adds:
            self._hub.show_values(dataclasses.asdict(shown))
        line = self._hub.control("path")
        assert isinstance(line, QLineEdit)
        line.setPlaceholderText(self.tr("owner/name"))
        line.setAccessibleName(self.tr("Name on the Hub"))
        self._hub_said = plain_label("", "problem", "hubWords", wraps=True)
        self._hub_said.hide()
        use = button(self.tr("Use this data set"), "hubUse", role="primary")
        use.clicked.connect(self._on_hub)
        for path in ("path", "revision", "subset", "split"):
            control = self._hub.control(path)
            assert isinstance(control, QLineEdit)
            control.returnPressed.connect(self._on_hub)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(use)
        held = QWidget()
        held.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        return _column(plain_label(said, "muted", wraps=True), self._hub, self._hub_said, held)

    def _on_hub(self) -> None:
        values = self._hub.values
        path = str(values["path"]).strip()
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", path):
            self._hub_said.setText(self.tr("Write the name as the Hub shows it, such as owner/name."))
            self._hub_said.show()
            return
        named = {name: str(values[name]).strip() for name in ("revision", "subset", "split")}
        data = self._session.draft.spec.data
        if path != data.path and named["revision"] == data.revision:
            named["revision"] = ""  # the commit that the other data set was pinned to
        self.close()
        chosen = SourceSpec("hub", path, named["revision"], named["subset"], named["split"] or SourceSpec().split)
        if self._adds:
            self._session.add_source(chosen)
        else:
            self._take(chosen, "")

    def _take(self, chosen: SourceSpec, held_out: str) -> None:
        """Choose data as one step of the undo, with what names a part of a data set of the Hub set or cleared."""
        session, data = self._session, self._session.draft.spec.data
        if "hub" in (chosen.source, data.source):
            changes: dict[str, Any] = {
                f"data.{name}": getattr(chosen, name) for name in ("source", "path", "revision", "subset", "split")
            }
            if (chosen.source, chosen.path) != (data.source, data.path):
                changes["data.steps"] = without_named_rows(data.steps)
            session.draft.edit({**changes, "data.held_out_path": held_out}, alone=True)
            if data.steps != session.draft.spec.data.steps:
                session.notice.emit("info", "Steps that named rows of the other data were taken out.")
        if not chosen.revision:  # the session would take a revision back; the job's change is looked at by itself
            session.choose_data(chosen.source, chosen.path, held_out)

    def _held_out_row(self) -> QWidget:
        held = QWidget()
        row = QHBoxLayout(held)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(plain_label(self.tr("Held-out file"), "muted"))
        self._held_out = ElidedLabel("", "caption")
        self._held_out.setObjectName("heldOutPath")
        row.addWidget(self._held_out, 1)
        pick = button(self.tr("File…"), "heldOutFileButton", self.tr("Choose a held-out file"))
        pick.clicked.connect(self._on_pick_held_out)
        self._clear = button(self.tr("None"), "heldOutNoneButton", self.tr("Use no held-out file"))
        self._clear.clicked.connect(lambda: self._set_held_out(""))
        row.addWidget(pick)
        row.addWidget(self._clear)
        self._show_held_out()
        return held

    def _show_held_out(self) -> None:
        path = self._session.draft.spec.data.held_out_path
        self._held_out.set_text(path or self.tr("none: a share of the rows is set aside"))
        self._clear.setVisible(bool(path))

    def _on_pick_held_out(self) -> None:
        ask_for_path(self, self.tr("Held-out data"), False, self.file_filters(), self._set_held_out)

    def _set_held_out(self, path: str) -> None:
        data = self._session.draft.spec.data
        self._session.choose_data(data.source, data.path, path)
        self._show_held_out()

    def _on_page(self, number: int) -> None:
        if number == 1 and self._browser is not None and not self._browser.here:
            data = self._session.draft.spec.data
            self._browser.go(data.path.rsplit("/", 1)[0] if data.source == "node" and "/" in data.path else "~")

    def _choose(self, source: str, path: str) -> None:
        session = self._session
        data = session.draft.spec.data
        held_out = data.held_out_path if source == data.source else ""
        self.close()
        if self._adds:
            session.add_source(SourceSpec(source, path))
        else:
            self._take(SourceSpec(source, path), held_out)


def _column(*widgets: QWidget) -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    for widget in widgets:
        layout.addWidget(widget)
    return page
