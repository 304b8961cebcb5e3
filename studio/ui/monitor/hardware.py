"""Tiles of what a node's hardware does: one a GPU, or CPU, memory and disk where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from studio.ui import words
from studio.ui.pieces import ElidedLabel, Meter, as_plain_tip, plain_label

TILES_A_ROW = 8
_FULL = 0.95


class TileFacts(NamedTuple):
    """One tile: title, a figure at the right, the share of the bar (0 … 1, negative for none), the words under it.

    ``warns`` says that a bar that is nearly full is something to look at.
    """

    title: str
    figure: str
    share: float
    words: str
    tip: str = ""
    warns: bool = False


class HardwareTiles(QWidget):
    """A row of tiles (two rows over eight) that is updated in place."""

    def __init__(self, parent: QWidget | None = None, a_row: int = TILES_A_ROW) -> None:
        super().__init__(parent)
        self.setObjectName("hardwareTiles")
        self._a_row = a_row
        self._tiles: list[_Tile] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)

    def show_facts(self, facts: Sequence[TileFacts]) -> None:
        """Show so many tiles; none hides the row."""
        while len(self._tiles) < len(facts):
            number = len(self._tiles)
            tile = _Tile(f"hardwareTile{number}")
            self._tiles.append(tile)
            self._grid.addWidget(tile, number // self._a_row, number % self._a_row)
        for number, tile in enumerate(self._tiles):
            tile.setVisible(number < len(facts))
            if number < len(facts):
                tile.show_facts(facts[number])
        self.setVisible(bool(facts))

    def show_gpus(self, gpus: Sequence[Mapping[str, Any]]) -> None:
        """Show the GPUs of a sample; their mappings have the fields of `node_report.Gpu`."""
        self.show_facts([self._gpu(gpu) for gpu in gpus])

    def show_machine(self, cpu_percent: float | None, cores: int, used: int, total: int, disk_free: int) -> None:
        """Show a machine without GPUs. ``cpu_percent`` is None and ``cores`` 0 where they are not known."""
        cpu = f"{cpu_percent:.0f} %" if cpu_percent is not None else ""
        facts = []
        if cores or cpu:
            said = self.tr("{count} cores").format(count=cores) if cores else self.tr("of all cores")
            facts.append(TileFacts(self.tr("CPU"), cpu, -1.0 if cpu_percent is None else cpu_percent / 100, said))
        share = used / total if total else 0.0
        of = self.tr("{used} of {total} used").format(used=words.size(used), total=words.size(total))
        facts.append(TileFacts(self.tr("Memory"), words.percent(share), share, of, warns=True))
        free = self.tr("{size} free").format(size=words.size(disk_free))
        facts.append(TileFacts(self.tr("Disk"), "", -1.0, free))
        self.show_facts(facts)

    def _gpu(self, gpu: Mapping[str, Any]) -> TileFacts:
        used, total = _number(gpu, "memory_used_bytes"), _number(gpu, "memory_total_bytes")
        share = used / total if total else 0.0
        figure = f"{_number(gpu, 'utilization_percent'):.0f} %" if "utilization_percent" in gpu else ""
        of = f"{used / 1024**3:.1f} / {words.size(total)}"
        tip = [str(gpu.get("name", ""))]
        if "utilization_percent" in gpu:
            tip.append(self.tr("busy {share}").format(share=figure))
        for name, unit in (("temperature_c", "°C"), ("power_w", "W")):
            if _number(gpu, name):
                tip.append(f"{_number(gpu, name):.0f} {unit}")
        title = self.tr("GPU {index}").format(index=int(_number(gpu, "index")))
        return TileFacts(title, figure, share, of, ", ".join(part for part in tip if part))


class _Tile(QFrame):
    """A small card with a meter."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "card")
        self._title = plain_label("", "heading")
        self._figure = plain_label("", "caption")
        self._meter = Meter(name + "Meter")
        policy = self._meter.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._meter.setSizePolicy(policy)
        self._words = ElidedLabel("", "caption")
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._figure)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self._meter)
        layout.addWidget(self._words)

    def show_facts(self, facts: TileFacts) -> None:
        self._title.setText(facts.title)
        self._figure.setText(facts.figure)
        self._meter.setVisible(facts.share >= 0)
        self._meter.set_share(facts.share, facts.words, "warning" if facts.warns and facts.share > _FULL else "accent")
        self._words.set_text(facts.words)
        self.setToolTip(as_plain_tip(facts.tip) if facts.tip else "")
        self.setAccessibleName(f"{facts.title}: {facts.figure} {facts.words}".strip())


def _number(gpu: Mapping[str, Any], name: str) -> float:
    value = gpu.get(name, 0)
    return float(value) if isinstance(value, (int, float)) else 0.0
