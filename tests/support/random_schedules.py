"""A strategy for schedules of every shape with every field in its range."""

from __future__ import annotations

from hypothesis import strategies as st

from remote_agent.contract.recipe_spec import CooldownSpec, PointSpec, ScheduleSpec, WarmupSpec


@st.composite
def any_schedules(draw: st.DrawFn) -> ScheduleSpec:
    """Draw a schedule with every field in its range."""
    units = st.sampled_from(["steps", "percent"])
    points = draw(st.dictionaries(st.floats(0, 100), st.floats(0, 1), min_size=1, max_size=4))
    return ScheduleSpec(
        shape=draw(st.sampled_from(["constant", "linear", "cosine", "cosine_restarts", "polynomial", "inverse_sqrt",
                                    "wsd", "one_cycle", "rex", "step", "multi_step", "piecewise", "range_test"])),
        minimum_factor=draw(st.floats(0, 1)),
        warmup=WarmupSpec(draw(st.floats(0, 100)), draw(units), draw(st.floats(0, 1)),
                          draw(st.sampled_from(["linear", "cosine"]))),
        cooldown=CooldownSpec(draw(st.floats(0, 100)), draw(units),
                              draw(st.sampled_from(["linear", "cosine", "one_minus_sqrt"]))),
        cycles=draw(st.integers(1, 1000)),
        cycle_length_factor=draw(st.floats(1, 10)),
        cycle_peak_factor=draw(st.floats(0.01, 1)),
        power=draw(st.floats(0.01, 10)),
        timescale=draw(st.integers(0, 10_000)),
        step_percent=draw(st.floats(0.001, 100)),
        step_factor=draw(st.floats(0.001, 1)),
        points=tuple(PointSpec(at, points[at]) for at in sorted(points)),
    )  # fmt: skip
