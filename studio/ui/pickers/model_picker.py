"""Chooses the weights a run starts from: a folder here or on the node, the result of a run, or a Hub id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from studio.ui import words
from studio.ui.pickers.path_row import PathRow
from studio.ui.pickers.popup import Popup, Tabs
from studio.ui.pickers.remote_browser import RemoteBrowser
from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

SOURCES = ("desktop", "node", "run", "hub")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?\Z")


class ModelPicker(Popup):
    """A page for each place a model can lie; picking one closes the popup."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(self.tr("Model"), "modelPicker", parent)
        self._session = session
        self._node = session.node_name
        spec = session.draft.spec.model
        self._here = PathRow(
            "modelPath", self.tr("Folder of the model on this computer"), self.tr("Use this model"),
            files=False, folders=True,
        )  # fmt: skip
        self._here.chosen.connect(lambda path: self._choose("desktop", path))
        if spec.source == "desktop":
            self._here.line.setText(spec.id)
        self._browser: RemoteBrowser | None = None
        self.tabs = Tabs(
            (
                (self.tr("This computer"), "modelFromDesktop", self._desktop_page()),
                (self._node_words(), "modelFromNode", self._node_page()),
                (self.tr("A run"), "modelFromRun", self._run_page()),
                (self.tr("Hub"), "modelFromHub", self._hub_page()),
            ),
            self.tr("Where the model lies"),
        )
        self.tabs.stack.currentChanged.connect(self._on_page)
        self.tabs.show_page(SOURCES.index(spec.source) if spec.source in SOURCES else 0)
        self.body.addWidget(self.tabs, 1)

    def _desktop_page(self) -> QWidget:
        said = self.tr(
            "A folder with config.json, the tokenizer's files and safetensors. It is sent to the node at the launch, "
            "verified by hash, and only once."
        )
        return _page(plain_label(said, "muted", wraps=True), self._here)

    def _node_words(self) -> str:
        """Return the tab's words: the node's name, unless it is this computer, which has a tab already."""
        node = self._session.node
        return told(self._node) if node is not None and not node.is_local else self.tr("Node")

    def _node_page(self) -> QWidget:
        if not self._node:
            return _page(
                plain_label(self.tr("Choose a node first; then its folders appear here."), "muted", wraps=True)
            )
        self._browser = RemoteBrowser(self._session, self._node, "modelBrowser", folders_only=True)
        self._browser.chosen.connect(lambda path: self._choose("node", path))
        return _page(self._browser)

    def _run_page(self) -> QWidget:
        runs = QListWidget()
        runs.setObjectName("modelRuns")
        runs.setAccessibleName(self.tr("Runs whose result can be trained further"))
        runs.setMinimumHeight(160)
        runs.setStyleSheet("QListView::item { padding: 4px 8px; }")
        for run in self._session.library.runs:
            if run.node == self._node and run.step > 0:
                said = self.tr("{name}  ·  step {step}  ·  {state}")
                text = said.format(name=run.name, step=words.whole(run.step), state=words.run_state(run.state))
                item = QListWidgetItem(f"{text}\n{run.run_id}")
                item.setData(Qt.ItemDataRole.UserRole, run.run_id)
                runs.addItem(item)
        self._run_said = plain_label("", "problem", "modelRunWords", wraps=True)
        self._run_said.hide()
        if not runs.count():
            place = told(self._node) or self.tr("the node")
            said = self.tr(
                "No run on {node} has a result yet; once one has saved, it can be trained further from here."
            )
            return _page(plain_label(said.format(node=place), "muted", wraps=True))
        use = button(self.tr("Use its newest checkpoint"), "modelRunUse", role="primary")
        use.clicked.connect(lambda: self._choose_run(runs.currentItem()))
        runs.itemActivated.connect(self._choose_run)
        runs.setCurrentRow(0)
        return _page(runs, self._run_said, use)

    def _hub_page(self) -> QWidget:
        model = self._session.draft.spec.model
        self._hub = QLineEdit(model.id if model.source == "hub" else "")
        self._hub.setObjectName("modelHubId")
        self._hub.setAccessibleName(self.tr("Hub id of the model"))
        self._hub.setPlaceholderText("org/name")
        self._hub_said = plain_label("", "problem", "modelHubWords", wraps=True)
        self._hub_said.hide()
        use = button(self.tr("Use this model"), "modelHubUse", role="primary")
        use.clicked.connect(self._on_hub)
        self._hub.returnPressed.connect(self._on_hub)
        said = self.tr(
            "A model of the Hub by its id. The chosen node fetches its safetensors, configuration and tokenizer and "
            "pins the commit. A gated model needs HF_TOKEN in Luthier's environment."
        )
        return _page(plain_label(said, "muted", wraps=True), self._hub, self._hub_said, use)

    def _on_page(self, number: int) -> None:
        if SOURCES[number] == "node" and self._browser is not None and not self._browser.here:
            spec = self._session.draft.spec.model
            self._browser.go(spec.id.rsplit("/", 1)[0] if spec.source == "node" and "/" in spec.id else "~")

    def _on_hub(self) -> None:
        wanted = self._hub.text().strip()
        is_id = _HUB_ID.match(wanted) is not None
        self._hub_said.setVisible(not is_id)
        self._hub_said.setText(self.tr("A Hub id reads like org/name, such as HuggingFaceTB/SmolLM2-135M-Instruct."))
        if is_id:
            self._choose("hub", wanted)

    def _choose_run(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        run_id = str(item.data(Qt.ItemDataRole.UserRole))
        checkpoints = self._session.run(run_id).checkpoints
        if not checkpoints:
            self._run_said.setText(self.tr("This run has saved no checkpoint."))
            self._run_said.show()
            return
        self._choose("run", f"{run_id}/{checkpoints[-1].name}")

    def _choose(self, source: str, model_id: str) -> None:
        session = self._session
        self.close()
        session.choose_model(source, model_id)


def _page(*widgets: QWidget) -> QWidget:
    """Return a page of a picker; a last button stands at the right."""
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    for widget in widgets:
        if widget.property("role") == "primary":
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(widget)
            layout.addLayout(row)
        else:
            layout.addWidget(widget)
    layout.addStretch(1)
    return page
