"""What is kept of a node's samples: all of the last ones, means of the older ones, and nothing that is none."""

from __future__ import annotations

import numpy as np

from remote_agent.contract.events import NodeSampled
from studio.state.telemetry import GPU_FIELDS, MOST_SAMPLES, Telemetry, gpu_name

_WEEK_S, _EVERY_S = 7 * 24 * 3600, 15


def _sample(cpu: float, *gpus: dict[str, object]) -> NodeSampled:
    return NodeSampled(cpu, 25, 100, 10, gpus, received_bytes_per_s=3.0)


def test_that_a_week_keeps_its_course_and_its_last_samples_whole() -> None:
    telemetry = Telemetry()
    for second in range(_EVERY_S, _WEEK_S + 1, _EVERY_S):
        telemetry.add(float(second), _sample(second / _WEEK_S, {"index": 0, "power_w": float(second)}))
    times, cpu = telemetry.series("cpu_percent")
    assert len(times) == len(telemetry) < MOST_SAMPLES
    assert list(times[-1800:]) == list(range(_WEEK_S - 1799 * _EVERY_S, _WEEK_S + 1, _EVERY_S))
    np.testing.assert_allclose(cpu, times / _WEEK_S)  # a mean of a line lies on it
    np.testing.assert_allclose(telemetry.series(gpu_name("power_w", 0))[1], times)
    assert np.all(np.diff(times) > 0)
    assert np.diff(times).max() <= 32 * _EVERY_S
    assert times[0] <= 17 * _EVERY_S


def test_that_a_gpu_that_comes_and_goes_leaves_gaps_and_damage_is_no_figure() -> None:
    telemetry = Telemetry()
    telemetry.add(1.0, _sample(1.0))
    telemetry.add(2.0, _sample(2.0, {"index": 1, "temperature_c": 60.0, "power_w": "much"}, {"index": "no"}))
    telemetry.add(2.0, _sample(9.0))
    telemetry.add(3.0, NodeSampled(3.0, 1, 0, 1))
    assert telemetry.gpus == (1,)
    assert telemetry.series("cpu_percent")[1].tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_equal(telemetry.series("temperature_c 1")[1], [np.nan, 60.0, np.nan])
    np.testing.assert_equal(telemetry.series("power_w 1")[1], [np.nan, np.nan, np.nan])
    np.testing.assert_equal(telemetry.series("memory_percent")[1], [25.0, 25.0, np.nan])
    assert len(telemetry.series("power_w 7")[1]) == 0


def test_that_gpus_told_alike_are_kept_as_those_told_one_by_one() -> None:
    def gpus(second: int, *indices: int) -> tuple[dict[str, object], ...]:
        return tuple({"index": n, **{field: float(second + n) for field in GPU_FIELDS}} for n in indices)

    telemetry = Telemetry()
    told = {
        1: gpus(1, 0, 1), 2: gpus(2, 0, 1), 3: gpus(3, 1, 0), 4: gpus(4, 0), 5: gpus(5, 0, 1, 2), 6: gpus(6, 0, 1, 2),
        7: gpus(7, 0, 0, 1), 8: gpus(8, 0, 1, 2, 99), 9: gpus(9, 0, 1, 2, 99),
        10: ({"index": 0, "power_w": "5", **{field: True for field in GPU_FIELDS[:3]}}, *gpus(10, 1)), 11: (),
    }  # fmt: skip
    for second, those in told.items():
        telemetry.add(float(second), _sample(1.0, *those))
    assert telemetry.gpus == (0, 1, 2)
    nan = np.nan
    for field in GPU_FIELDS[1:3]:
        np.testing.assert_equal(telemetry.values(f"{field} 0"), [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, nan])
    np.testing.assert_equal(telemetry.values("power_w 0"), [1, 2, 3, 4, 5, 6, 7, 8, 9, nan, nan])
    np.testing.assert_equal(telemetry.values("power_w 1"), [2, 3, 4, nan, 6, 7, 8, 9, 10, 11, nan])
    np.testing.assert_equal(telemetry.values("power_w 2"), [nan, nan, nan, nan, 7, 8, nan, 10, 11, nan, nan])
    assert telemetry.times().tolist() == list(told)
