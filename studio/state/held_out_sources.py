"""A run's held-out loss by data source: what its evaluations told of each, by the names of the sources."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from remote_agent.contract.data_spec import DataSpec, all_sources

if TYPE_CHECKING:
    from studio.state.run import RunState


class SourceLosses(NamedTuple):
    """The held-out loss of a source after so many steps each."""

    name: str
    steps: tuple[float, ...]
    losses: tuple[float, ...]


def held_out_by_source(run: RunState) -> Iterator[SourceLosses]:
    """Yield the sources of which rows were held out, where these are several.

    As in the curve of the whole, a later attempt's evaluation takes the place of an earlier one's.
    """
    counted = set(run.series("held_out_loss")[0].tolist())
    latest = {one.step: one for one in run.evaluations if one.step in counted and one.source_losses}
    told = [latest[step] for step in sorted(latest)]
    found = []
    for number, name in enumerate(source_names(run.spec.data)):
        points = [(float(one.step), one.source_losses[number]) for one in told if number < len(one.source_losses)]
        points = [(step, loss) for step, loss in points if math.isfinite(loss)]
        if points:
            found.append(SourceLosses(name, *zip(*points, strict=True)))
    yield from found if len(found) > 1 else ()


def source_names(data: DataSpec) -> tuple[str, ...]:
    """Return what each source is called, the held-out file last: the end of its path, numbered where two are alike."""
    paths = [source.path for source in all_sources(data)] + ([data.held_out_path] if data.held_out_path else [])
    ends = [PurePath(path).name or path for path in paths]
    return tuple(f"{end} ({number + 1})" if ends.count(end) > 1 else end for number, end in enumerate(ends))
