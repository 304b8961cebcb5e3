"""Where the rows of a job lie, and how each source becomes a path on the machine that reads it. No Qt."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from remote_agent.contract.data_spec import DataSpec, SourceSpec, all_sources, held_out_source

if TYPE_CHECKING:
    from studio.remote.agent import Agent, Progress

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
        return hub_path(place, source)
    path = local_input(source.path, what)
    if place.is_local:
        return str(path)
    send = place.agent.send_folder if path.is_dir() else place.agent.send_file
    return send("data", path, on_progress=on_progress, cancelled=cancelled)


def hub_path(place: Place, source: SourceSpec) -> str:
    """Return where a data set of the Hub lies on a machine. Raises InputError where it does not."""
    raise InputError(
        f"{source.path} is a data set of the Hub, which is not fetched from here; download it "
        f"(hf download --repo-type dataset {source.path}) and choose its folder."
    )
