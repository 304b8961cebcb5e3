"""What a job's inputs come to before tokens: their hashes, and the key under which the data is prepared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.sources import Cancelled, content_hash, never
from remote_agent.dataset.tokenizer_files import ModelTokenizer

LAYOUT_VERSION = 4
"""Raised when rendering, masking, packing or the files change, so that older prepared data is not taken for new."""

_KEY_LENGTH = 32
_WHERE_IT_LIES = ("source", "path", "revision", "subset", "split")
_NOT_IN_TOKENS = ("held_out_path", "chat_template", "group_by_length")
_HELD_OUT_SHARE = ("held_out_fraction", "held_out_by", "held_out_column")


class ContentHashes(NamedTuple):
    """SHA-256 of the training data and of the held-out file, the latter empty where there is none.

    ``data``: of one source its content's hash; of several a hash over theirs.
    """

    data: str
    held_out: str


def content_hashes(paths: DataPaths, cancelled: Cancelled = never) -> ContentHashes:
    """Hash the inputs' bytes. Raises NotThereError, DataError, CancelledError."""
    each = [content_hash(path, cancelled) for path in paths.data]
    held_out = content_hash(paths.held_out, cancelled) if paths.held_out is not None else ""
    return ContentHashes(hash_of_sources(each), held_out)


def hash_of_sources(hashes: Sequence[str]) -> str:
    """Return the hash of training data by its sources' hashes, in their order."""
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("".join(f"{one}\n" for one in hashes).encode("ascii")).hexdigest()


def prepared_key(job: JobSpec, model: ModelTokenizer, hashes: ContentHashes, augmented: str = "") -> str:
    """Return the name of the prepared data's folder: it changes with everything that changes a token or its place.

    All fields of the data count but where it lies; its content counts instead, and so do the tokenizer, the text of
    the template and ``augmented``, the hash of rows that steps made. A template that writes the day's date adds it.
    """
    names_today = model.template is not None and model.template.names_today
    parts = {
        "layout": LAYOUT_VERSION,
        "data": hashes.data,
        "held_out": hashes.held_out,
        "augmented": augmented,
        "fields": data_fields(job),
        "seed": job.seed,
        "template": model.template_text,
        "tokenizer": model.hash,
        "date": datetime.now().astimezone().date().isoformat() if names_today else "",
    }
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_KEY_LENGTH]


def data_fields(job: JobSpec) -> dict[str, Any]:
    """Return the fields of the job's data that change a token or its place, as the job file writes them."""
    fields = spec_to_dict(job.data)
    for name in (*_WHERE_IT_LIES, *_NOT_IN_TOKENS, *(_HELD_OUT_SHARE if job.data.held_out_path else ())):
        del fields[name]
    for more in fields["more"]:
        for name in _WHERE_IT_LIES:
            del more[name]
    return fields
