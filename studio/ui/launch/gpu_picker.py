"""The chosen node's GPUs as tiles to pick from: what each holds, who holds it, and whether the run takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.node_report import Gpu, NodeReport
from remote_agent.contract.preflight import free_gpus, picked_gpus
from studio.ui import icons, words
from studio.ui.pieces import as_plain_tip, button, clear_layout, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session

TILES_A_ROW = 4


class GpuPicker(QWidget):
    """A click takes a GPU or leaves it; hidden where the node has just one, or none."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("gpuPicker")
        self.setAccessibleName(self.tr("GPUs of the run"))
        self._session = session
        self._shown: tuple[object, ...] = ()
        self._words = plain_label("", "caption", "gpuPickerWords", wraps=True)
        self.automatic = button(
            self.tr("Take free ones"), "gpuPickerAutomatic", self.tr("Take free GPUs, however many the job asks for")
        )
        self.automatic.clicked.connect(lambda: session.choose_gpus(()))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._words, 1)
        head.addWidget(self.automatic)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addLayout(self._rows)
        self.hide()

    def show_report(self, report: NodeReport | None) -> None:
        """Show a node's GPUs and which of them the job takes."""
        gpus = report.gpus if report is not None else ()
        self.setVisible(len(gpus) > 1)
        if report is None or len(gpus) < 2:
            return
        draft = self._session.draft
        ranks, chosen = draft.spec.strategy.ranks, draft.known.gpus
        picked = [gpu.uuid for gpu in picked_gpus(report, ranks, chosen)]
        self.automatic.setVisible(bool(chosen))
        said = self.tr("The run takes {count} of {total}, one process each; they are named by UUID.")
        self._words.setText(said.format(count=len(picked), total=len(gpus)))
        shown = (report.gpus, report.survey, tuple(picked))
        if shown == self._shown:
            return
        self._shown = shown
        self._show_tiles(report, picked)

    def _show_tiles(self, report: NodeReport, picked: list[str]) -> None:
        focused = self.focusWidget()
        held = focused.objectName() if focused is not None and focused.hasFocus() else ""
        clear_layout(self._rows)
        for start in range(0, len(report.gpus), TILES_A_ROW):
            row = QWidget()
            line = QHBoxLayout(row)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(8)
            for gpu in report.gpus[start : start + TILES_A_ROW]:
                tile = self._tile(gpu, report, picked)
                line.addWidget(tile, 1)
                if tile.objectName() == held:
                    tile.setFocus()
            self._rows.addWidget(row)

    def _tile(self, gpu: Gpu, report: NodeReport, picked: list[str]) -> QWidget:
        holder = self._holder(gpu, report)
        name = self.tr("GPU {index}").format(index=gpu.index)
        # numbered like the tiles above them, which say how full each is
        tile = button(f"{name}  ·  {holder}", f"gpuTile{gpu.index}", f"{name}: {holder}")
        tile.setCheckable(True)
        tile.setChecked(gpu.uuid in picked)
        icons.set_icon(tile, *(("check-circle-fill", "accent") if gpu.uuid in picked else ("circle", "muted")))
        tile.setToolTip(as_plain_tip(f"{gpu.name}, {gpu.uuid}, {words.size(gpu.memory_total_bytes)}"))
        tile.clicked.connect(lambda checked: self._on_clicked(gpu.uuid, picked, checked))
        return tile

    def _holder(self, gpu: Gpu, report: NodeReport) -> str:
        if gpu in free_gpus(report):
            return self.tr("free")
        processes = report.survey.gpu_processes if report.survey is not None else ()
        holders = [each for each in processes if each.gpu == gpu.uuid]
        if not holders:
            return self.tr("in use")
        said = self.tr("{name} of {user}").format(name=holders[0].name or "?", user=holders[0].user or "?")
        return said if len(holders) == 1 else f"{said} +{len(holders) - 1}"

    def _on_clicked(self, uuid: str, picked: list[str], checked: bool) -> None:
        wanted = [*picked, uuid] if checked else [each for each in picked if each != uuid]
        self._shown = ()  # where the choice changes nothing, the tile goes back to what is so
        self._session.choose_gpus(wanted or picked)
