"""What a job's data comes to before tokens: rows, shape, split, and the key under which it is prepared."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.conversation import Shape, detect_shape
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.sources import Cancelled, content_hash, count_rows, never, rows_of
from remote_agent.dataset.splitting import capped, split
from remote_agent.dataset.tokenizer_files import ModelTokenizer

LAYOUT_VERSION = 1
"""Raised when rendering, masking, packing or the files change, so that older prepared data is not taken for new."""

_KEY_LENGTH = 32


class Source(NamedTuple):
    """The first ``rows`` rows of a path, with the masks of those trained and held out."""

    path: Path
    rows: int
    shape: Shape
    train: NDArray[np.bool_]
    held_out: NDArray[np.bool_]


def data_source(path: Path, job: JobSpec, has_held_out_file: bool, cancelled: Cancelled = never) -> Source:
    """Read every row once to count them, and split them. Raises DataError as the readers do, CancelledError."""
    shape = shape_of(path, job.data.shape)
    rows = count_rows(path, job.data.max_rows, cancelled)
    if has_held_out_file:
        train, held_out = np.ones(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_)
    else:
        train, held_out = split(rows, job.data, job.seed)
    return Source(path, rows, shape, train, held_out)


def held_out_source(path: Path, job: JobSpec, cancelled: Cancelled = never) -> Source:
    """Count the rows of a held-out file and pick those that are used. Raises as `data_source`."""
    shape = shape_of(path, job.data.shape)
    rows = count_rows(path, 0, cancelled)
    return Source(path, rows, shape, np.zeros(rows, dtype=np.bool_), capped(rows, job.data, job.seed))


def sources(job: JobSpec, data_path: Path, held_out_path: Path | None, cancelled: Cancelled = never) -> list[Source]:
    """Return the training file's rows and, where there is one, the held-out file's. Raises as `data_source`."""
    found = [data_source(data_path, job, held_out_path is not None, cancelled)]
    if held_out_path is not None:
        found.append(held_out_source(held_out_path, job, cancelled))
    return found


def shape_of(path: Path, chosen: str) -> Shape:
    """Return the shape of a path's rows by its first row. Raises DataError where there is none or no shape fits."""
    first = next(rows_of(path, 1), None)
    if first is None:
        raise DataError(f"{path.name}: there is no row in it; choose a file with rows.")
    return detect_shape(first, chosen)


class ContentHashes(NamedTuple):
    """SHA-256 of the training data and of the held-out file, the latter empty where there is none."""

    data: str
    held_out: str


def content_hashes(data_path: Path, held_out_path: Path | None, cancelled: Cancelled = never) -> ContentHashes:
    """Hash the inputs' bytes. Raises NotThereError, DataError, CancelledError."""
    held_out = content_hash(held_out_path, cancelled) if held_out_path is not None else ""
    return ContentHashes(content_hash(data_path, cancelled), held_out)


def prepared_key(job: JobSpec, model: ModelTokenizer, hashes: ContentHashes) -> str:
    """Return the name of the prepared data's folder: it changes with everything that changes a token or its place.

    Where a template writes the day's date, the date is part of it.
    """
    data = job.data
    names_today = model.template is not None and model.template.names_today
    parts = {
        "layout": LAYOUT_VERSION,
        "data": hashes.data,
        "held_out": hashes.held_out,
        "held_out_fraction": 0.0 if hashes.held_out else data.held_out_fraction,
        "held_out_rows": data.held_out_rows,
        "shape": data.shape,
        "system_prompt": data.system_prompt,
        "max_length": data.max_length,
        "over_length": data.over_length,
        "packing": data.packing,
        "max_rows": data.max_rows,
        "seed": job.seed,
        "template": model.template_text,
        "tokenizer": model.hash,
        "date": datetime.now().astimezone().date().isoformat() if names_today else "",
    }
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_KEY_LENGTH]
