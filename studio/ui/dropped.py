"""What a file or folder dropped onto the window is taken for."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData

JOB_FILE, DATA, MODEL = "job file", "data", "model"
_JOB_SUFFIXES = (".yaml", ".yml")
_ROW_ENDINGS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".md")
DATA_ENDINGS = tuple(ending + packed for ending in _ROW_ENDINGS for packed in ("", ".gz", ".zst"))
"""How the names of files with rows end, as the readers of the node know them."""


def kind_of(path: Path) -> str:
    """Return what a path is taken for, empty where it is nothing the studio opens."""
    if path.is_dir():
        if (path / "config.json").is_file():
            return MODEL
        return DATA if any(_has_rows(entry) for entry in path.iterdir()) else ""
    if path.name == "job.json" or path.suffix.lower() in _JOB_SUFFIXES:
        return JOB_FILE
    return DATA if _has_rows(path) else ""


def _has_rows(path: Path) -> bool:
    return path.name.lower().endswith(DATA_ENDINGS)


def dropped_path(mime: QMimeData) -> Path | None:
    """Return the first local path of a drag, None where it carries none."""
    for url in mime.urls():
        if url.isLocalFile():
            return Path(url.toLocalFile())
    return None
