"""Strategies for the fields of a job that hold lists of objects."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import DropStep, ReplaceStep
from remote_agent.contract.recipe_spec import PointSpec

Values = st.SearchStrategy[tuple[Any, ...]]


def list_fields(text: st.SearchStrategy[str]) -> dict[str, Values]:
    """Return a strategy for each such field, by its path."""
    numbers = st.lists(st.integers(0, 99), max_size=3).map(tuple)
    steps = st.builds(DropStep, finding=text, rows=numbers) | st.builds(ReplaceStep, find=text, regex=st.booleans())
    sources = st.builds(SourceSpec, path=text, weight=st.floats(0, 10))
    points = st.builds(PointSpec, at_percent=st.floats(0, 100), factor=st.floats(0, 1))
    return {
        "data.more": st.lists(sources, max_size=2).map(tuple),
        "data.steps": st.lists(steps, max_size=3).map(tuple),
        "schedule.points": st.lists(points, max_size=4).map(tuple),
    }
