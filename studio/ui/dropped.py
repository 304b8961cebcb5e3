"""What a file or folder dropped onto the window is taken for."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData

JOB_FILE, DATA, MODEL = "job file", "data", "model"
_JOB_SUFFIXES = (".yaml", ".yml")
_DATA_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".gz", ".zst")


def kind_of(path: Path) -> str:
    """Return what a path is taken for, empty where it is nothing the studio opens."""
    if path.is_dir():
        if (path / "config.json").is_file():
            return MODEL
        return DATA if any(entry.suffix.lower() in _DATA_SUFFIXES for entry in path.iterdir()) else ""
    if path.name == "job.json" or path.suffix.lower() in _JOB_SUFFIXES:
        return JOB_FILE
    return DATA if path.suffix.lower() in _DATA_SUFFIXES else ""


def dropped_path(mime: QMimeData) -> Path | None:
    """Return the first local path of a drag, None where it carries none."""
    for url in mime.urls():
        if url.isLocalFile():
            return Path(url.toLocalFile())
    return None
