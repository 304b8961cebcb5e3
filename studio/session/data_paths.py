"""Where the rows of a job lie, and how each source becomes a path on the machine that reads it. No Qt."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from remote_agent.contract.data_spec import DataSpec, SourceSpec, all_sources, held_out_source
from remote_agent.contract.run_dir import is_commit

if TYPE_CHECKING:
    from studio.remote.agent import Agent, HubModel, Progress

HUB_TOKEN = "HF_TOKEN"  # noqa: S105 the name of a variable
"""The environment variable whose token goes with what a node asks of the Hub."""

OnProgress = Callable[["Progress"], None] | None
Cancelled = threading.Event | None


class InputError(ValueError):
    """A model or data set cannot be used as it is named; the text is a sentence for people."""


@dataclasses.dataclass(frozen=True)
class Place:
    """A machine as far as inputs need it: its agent, the trainer's interpreter there, the agent's home."""

    agent: Agent
    python: str
    home: str
    is_local: bool


class DataPaths(NamedTuple):
    """Paths on one machine: one for each source, in the order of `all_sources`; ``held_out`` empty where none is."""

    data: tuple[str, ...]
    held_out: str


def local_input(text: str, what: str) -> Path:
    """Return the absolute path of an input on this computer. Raises InputError where nothing lies there."""
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise InputError(f"{what} {path} is not on this computer (any more); choose it again.")
    return path


def lies_on_desktop(data: DataSpec) -> bool:
    """Say whether every row lies on this computer, so that no node is needed to look at them."""
    return all(source.source == "desktop" for source in all_sources(data))


def paths_on(place: Place, data: DataSpec, on_progress: OnProgress = None, cancelled: Cancelled = None) -> DataPaths:
    """Bring the rows within reach of a machine and return where they lie there. Raises as `path_on`."""
    paths = tuple(path_on(place, source, on_progress, cancelled) for source in all_sources(data))
    held_out = held_out_source(data)
    at = path_on(place, held_out, on_progress, cancelled, "The held-out file") if held_out is not None else ""
    return DataPaths(paths, at)


def path_on(
    place: Place,
    source: SourceSpec,
    on_progress: OnProgress = None,
    cancelled: Cancelled = None,
    what: str = "The data",
) -> str:
    """Return a source's path on a machine; what lies on this computer is sent there, once for equal content.

    Raises:
        InputError: it is not there, or not named well; RemoteError: it could not be sent; OSError: not be read.
    """
    if source.source == "node":
        return source.path
    if source.source == "hub":
        return fetched_hub_data(place, source, on_progress, cancelled).path
    path = local_input(source.path, what)
    if place.is_local:
        return str(path)
    send = place.agent.send_folder if path.is_dir() else place.agent.send_file
    return send("data", path, on_progress=on_progress, cancelled=cancelled)


def fetched_hub_data(
    place: Place, source: SourceSpec, on_progress: OnProgress = None, cancelled: Cancelled = None
) -> HubModel:
    """Have a machine fetch rows of a Hub data set, unless they lie there. Raises RemoteError."""
    return place.agent.hub_data(source, place.python, hub_secrets(), on_progress=on_progress, cancelled=cancelled)


def pinned_revisions(
    place: Place, data: DataSpec, on_progress: OnProgress = None, cancelled: Cancelled = None
) -> dict[str, Any]:
    """Fetch the Hub's data sets and return the changes that pin each to the commit it was taken at.

    Raises RemoteError.
    """
    found = [
        dataclasses.replace(source, revision=fetched_hub_data(place, source, on_progress, cancelled).revision)
        if source.source == "hub"
        else source
        for source in all_sources(data)
    ]
    return {"data.revision": found[0].revision, "data.more": tuple(found[1:])}


def is_pinned(data: DataSpec) -> bool:
    """Say whether every data set of the Hub is named by a commit, which never moves."""
    return all(source.source != "hub" or is_commit(source.revision) for source in all_sources(data))


def hub_secrets() -> dict[str, str]:
    """Return the token of the Hub that this process was started with, for a node's one call."""
    token = os.environ.get(HUB_TOKEN, "").strip()
    return {HUB_TOKEN: token} if token else {}
