"""Saving a chart as a file: a picture, a drawing, or the values of its lines as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice

if TYPE_CHECKING:
    from PySide6.QtGui import QPixmap

    from studio.ui.charts.columns import Column

PICTURE, DRAWING, TEXT, TABLE = ".png", ".svg", ".csv", ".parquet"
KINDS = (PICTURE, DRAWING, TEXT, TABLE)


def png_of(picture: QPixmap) -> bytes:
    """Return a picture as PNG."""
    data = QByteArray()
    store = QBuffer(data)
    store.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(store, "PNG")
    return bytes(data.data())


def parquet_of(lines: Mapping[str, tuple[Column, Column]]) -> bytes:
    """Return the points of lines as Parquet: columns line (text), x and y (double), one row a point."""
    import pyarrow
    import pyarrow.parquet

    names = pyarrow.array([*lines], pyarrow.string())
    counts = [points[0].size for points in lines.values()]
    of_point = pyarrow.array([number for number, count in enumerate(counts) for _ in range(count)], pyarrow.int32())
    table = pyarrow.table(
        {
            "line": pyarrow.DictionaryArray.from_arrays(of_point, names),
            "x": pyarrow.chunked_array([points[0] for points in lines.values()], pyarrow.float64()),
            "y": pyarrow.chunked_array([points[1] for points in lines.values()], pyarrow.float64()),
        }
    )
    store = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, store)
    return bytes(store.getvalue())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file; an existing one is replaced in one step. Raises OSError, and then it is untouched."""
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
