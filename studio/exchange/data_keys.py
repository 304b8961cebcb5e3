"""Models and data that other tools name: a Hub id or a path, and how their rows are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.data_spec import ColumnsSpec, SourceSpec
from remote_agent.contract.job_spec import with_value
from studio.exchange.reader import Reader

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?\Z")
_DATA_FILE = re.compile(r"\.(jsonl?|csv|tsv|parquet|arrow|txt)(\.gz|\.zst)?\Z", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


def is_hub_id(text: str) -> bool:
    """Say whether a text is a Hub id rather than a path: org/name, no file ending, no leading point or slash."""
    return bool(_HUB_ID.match(text)) and not _DATA_FILE.search(text)


def read_model(reader: Reader, key: str, revision: str) -> None:
    """Set where the model comes from."""
    name = reader.text(key)
    if not name:
        return
    hub = is_hub_id(name)
    place = "A Hub id." if hub else "A path; it is taken from this computer."
    reader.put(key, "model.source", "hub" if hub else "desktop", place)
    reader.put(key, "model.id", name)
    wanted = reader.text(revision)
    if hub and _COMMIT.match(wanted):
        reader.put(revision, "model.revision", wanted)
    elif wanted:
        reader.drop(revision, "A branch can move; the run pins the commit that it finds.")
    if reader.flag("trust_remote_code"):
        reader.put("trust_remote_code", "model.trust_remote_code", True)


def put_sources(reader: Reader, key: str, sources: list[SourceSpec]) -> None:
    """Set the first source and, behind it, the others."""
    if not sources:
        return
    first = sources[0]
    for name in ("source", "path", "subset", "split", "shape", "max_rows", "revision"):
        value = getattr(first, name)
        if value != getattr(SourceSpec(), name) or name in ("source", "path"):
            reader.put(key, f"data.{name}", value, f"From the entry of {first.path}.")
    if first.columns != ColumnsSpec():
        reader.spec = with_value(reader.spec, "data.columns", first.columns)
        columns = {name: value for name, value in vars(first.columns).items() if value}
        reader.put_nested(
            f"{key}[0]", columns, "data.columns.messages", first.columns.messages, "Columns under their names here."
        )
    if len(sources) > 1:
        reader.put(key, "data.more", tuple(sources[1:]), f"{len(sources) - 1} more, mixed with the first.")


def source_of(path: str, **about: Any) -> SourceSpec:
    """Return a source for a Hub id or a path."""
    return SourceSpec(source="hub" if is_hub_id(path) else "desktop", path=path, **about)


def read_held_out(reader: Reader, key: str) -> None:
    """Set the held-out part from a share, or a number of rows where it is 1 or more (0: none)."""
    share = reader.number(key) or 0.0
    if share < 1:
        reader.put(key, "data.held_out_fraction", share)
        return
    rows = reader.given.rows
    fraction = min(0.9, share / rows) if rows else 0.1
    known = f"{share:g} of {rows} rows." if rows else f"{share:g} rows of an unknown number: a tenth, at most so many."
    reader.put(key, "data.held_out_fraction", fraction, known)
    reader.put(key, "data.held_out_rows", int(share), "Rows at most.")


def read_held_out_file(reader: Reader, key: str, paths: list[str]) -> None:
    """Set the held-out file; of several the first is taken."""
    if not paths:
        return
    if is_hub_id(paths[0]):
        reader.drop(key, "Held-out rows are read from a file; download it, or set a share aside.")
        return
    more = "" if len(paths) == 1 else f"The first of {len(paths)}."
    reader.put(key, "data.held_out_path", paths[0], more)
    reader.spec = with_value(reader.spec, "data.held_out_fraction", 0.0)


def llama_factory_source(name: str, info: Mapping[str, Any], folder: str) -> SourceSpec | None:
    """Return the source that an entry of dataset_info.json describes, None where it has no file and no Hub id."""
    entry = info.get(name)
    if not isinstance(entry, Mapping):
        return None
    columns = entry.get("columns")
    columns = columns if isinstance(columns, Mapping) else {}
    sharegpt = entry.get("formatting") in ("sharegpt", "openai")
    tags = entry.get("tags")
    tags = tags if isinstance(tags, Mapping) else {}
    shape = "messages" if sharegpt and tags.get("role_tag") == "role" else "sharegpt" if sharegpt else "alpaca"
    if not sharegpt and columns and "query" not in columns and columns.get("response") is None:
        shape = "text"
    hub = entry.get("hf_hub_url")
    path = str(hub or entry.get("file_name") or "")
    if not path:
        return None
    if not hub and folder and not path.startswith("/"):
        path = f"{folder.rstrip('/')}/{path}"
    return SourceSpec(
        source="hub" if hub else "desktop",
        path=path,
        subset=str(entry.get("subset") or ""),
        split=str(entry.get("split") or "train"),
        shape=shape,
        columns=_columns(columns, shape),
    )


def _columns(columns: Mapping[str, Any], shape: str) -> ColumnsSpec:
    def named(key: str) -> str:
        return str(columns.get(key) or "")

    if shape == "text":
        return ColumnsSpec(text=named("prompt"))
    if shape == "alpaca":
        return ColumnsSpec(
            prompt=named("prompt"), input=named("query"), response=named("response"), system=named("system")
        )
    return ColumnsSpec(messages=named("messages"), system=named("system"), tools=named("tools"))
