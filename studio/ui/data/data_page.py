"""The Data page: an invitation until data is chosen, then what there is to see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from studio.ui import icons
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.ui.data.data_view import DataView


class DataPage(QWidget):
    """Holds the view of the data, which is built with the first data: a window without any opens sooner."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataPage")
        self.setAccessibleName(self.tr("Data"))
        self._session = session
        self._view: DataView | None = None
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        session.draft.changed.connect(self.refresh)
        self.refresh()

    @property
    def view(self) -> DataView:
        """What shows the data, built now if it was not yet."""
        if self._view is None:
            from studio.ui.data.data_view import DataView

            self._view = DataView(self._session)
            self._view.choose.connect(self.choose_data)
            self._view.add.connect(self.add_source)
            self._view.held_out_wanted.connect(self.choose_data)
            self._stack.addWidget(self._view)
        return self._view

    def refresh(self) -> None:
        """Show the view where the draft has data, else the invitation."""
        if self._session.draft.spec.data.path.strip():
            self._stack.setCurrentWidget(self.view)
        else:
            self._stack.setCurrentIndex(0)

    def choose_data(self) -> None:
        """Open the data picker."""
        from studio.ui.pickers.data_picker import DataPicker

        filled = self._stack.currentIndex() == 1
        DataPicker(self._session, self).popup_at(self.view.strip.change_button if filled else self._choose)

    def add_source(self) -> None:
        """Open the data picker for one more source."""
        from studio.ui.pickers.data_picker import DataPicker

        DataPicker(self._session, self, adds=True).popup_at(self.view.strip.add_button)

    def reveal(self, path: str) -> QWidget | None:
        """Bring a field of the job's data into view with the keyboard on it; None where the page has none of it."""
        filled = bool(self._session.draft.spec.data.path.strip())
        return self.view.reveal(path) if filled else None

    def _empty(self) -> QWidget:
        page = QWidget()
        title = plain_label(self.tr("Rows to learn from"), "title")
        said = plain_label(
            self.tr(
                "Choose a JSON, JSONL, CSV, Parquet or text file, a folder of such, or a data set of the Hub. Here you "
                "then see every row as it will be trained, down to the token, before anything is sent anywhere."
            ),
            "muted",
            "dataEmpty",
            wraps=True,
        )
        said.setFixedWidth(520)
        said.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._choose = button(self.tr("Choose data…"), "chooseDataButton", self.tr("Choose data"), role="primary")
        self._choose.clicked.connect(self.choose_data)
        layout = QVBoxLayout(page)
        layout.setSpacing(12)
        layout.addStretch(2)
        icon = icons.pixmap_label("database", "accent", 40)
        for widget in (icon, title, said, self._choose):
            # not aligned by the layout, which would give a wrapping label the height of another width
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(widget)
            row.addStretch(1)
            layout.addLayout(row)
        layout.addStretch(3)
        return page
