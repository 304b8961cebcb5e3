"""The charts of a run's node: off until they are chosen, a line a GPU, at the places of their times on every axis."""

from __future__ import annotations

from typing import Any, cast

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.events import Evaluated, NodeSampled, Stamped, StepCompleted
from remote_agent.contract.job_spec import with_value
from studio.state.run import RunState
from studio.ui.charts.line_chart import LineChart
from studio.ui.charts.run_axis import STEPS, TIME
from studio.ui.monitor.monitor_page import MonitorPage
from studio.ui.monitor.view_choices import DEFAULT_CHARTS, ViewChoices
from tests.ui.page_session import PageSession, fold_start, new_run

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
GIB = 1024**3
NODE_CHARTS = (
    "gpu_utilization", "gpu_memory", "gpu_temperature", "gpu_power", "node_load", "node_disk", "node_network",
)  # fmt: skip
NAMES = {
    "gpu_utilization": "gpuUtilizationChart", "gpu_memory": "gpuMemoryChart", "gpu_temperature": "gpuTemperatureChart",
    "gpu_power": "gpuPowerChart", "node_load": "nodeLoadChart", "node_disk": "nodeDiskChart",
    "node_network": "nodeNetworkChart",
}  # fmt: skip


@pytest.fixture
def page(qtbot: QtBot) -> MonitorPage:
    made = MonitorPage(cast(Any, PageSession()), monotonic=lambda: 112.0)
    qtbot.addWidget(made)
    made.resize(1048, 2000)
    made.show()
    return made


def going(gpus: int = 2) -> RunState:
    """Return a run with an update every 10 s from 5000 s on, and a sample of its node every 5 s from 4990 s on."""
    run = new_run()
    fold_start(run, 200)
    steps = [StepCompleted(1, n, 2.0, 1e-5, 1.0, 1000, 900, 4e4, 10.0, 2**33, n / 66) for n in range(1, 21)]
    run.fold([Stamped(5000.0 + 10 * step.step, step) for step in steps])
    for number in range(44):
        told = tuple(
            {"index": index, "utilization_percent": 90.0 + index, "memory_used_bytes": (10 + index) * GIB,
             "temperature_c": 60.0 + number, "power_w": 0.0 if index else 300.0}
            for index in range(gpus)
        )  # fmt: skip
        run.fold([Stamped(4990.0 + 5 * number, NodeSampled(40.0, 30 * GIB, 40 * GIB, 500 * GIB, told, 2e6, 1e6))])
    return run


def chart(page: MonitorPage, key: str) -> LineChart:
    found = page.findChild(LineChart, NAMES[key])
    assert found is not None
    return found


def last(page: MonitorPage, key: str) -> dict[str, tuple[float, float]]:
    lines = chart(page, key)._lines
    return {name: (float(line.x[-1]), float(line.y[-1])) for name, line in lines.items()}


def test_that_each_figure_of_the_node_has_its_chart_once_it_is_chosen(page: MonitorPage) -> None:
    assert not set(DEFAULT_CHARTS) & set(NODE_CHARTS)
    page.show_run(going())
    assert not chart(page, "gpu_power").isVisible()
    page.charts.choose(ViewChoices(axis=STEPS, shown=NODE_CHARTS))
    page.refresh()
    assert last(page, "gpu_utilization") == {"GPU 0": (20.0, 90.0), "GPU 1": (20.0, 91.0)}
    assert last(page, "gpu_memory") == {"GPU 0": (20.0, 10.0), "GPU 1": (20.0, 11.0)}
    assert last(page, "gpu_temperature") == {"GPU 0": (20.0, 103.0), "GPU 1": (20.0, 103.0)}
    assert last(page, "gpu_power") == {"GPU 0": (20.0, 300.0)}  # a card that does not tell its power has no line
    assert last(page, "node_load") == {"CPU": (20.0, 40.0), "memory": (20.0, 75.0)}
    assert last(page, "node_disk") == {"free": (20.0, 500.0)}
    assert last(page, "node_network") == {"received": (20.0, 2.0), "sent": (20.0, 1.0)}


def test_that_samples_stand_where_the_run_was_at_their_time(page: MonitorPage) -> None:
    page.show_run(going())
    page.charts.choose(ViewChoices(axis=STEPS, shown=("gpu_temperature",)))
    page.refresh()
    line = chart(page, "gpu_temperature")._lines["GPU 0"]
    assert list(line.x[:3]) == [1.0, 1.5, 2.0]  # at 5010, 5015 and 5020 s
    assert list(line.y[:3]) == [64.0, 65.0, 66.0]
    page.charts.choose(ViewChoices(axis=TIME, shown=("gpu_temperature",)))
    page.refresh()
    line = chart(page, "gpu_temperature")._lines["GPU 0"]
    assert list(line.x[:3]) == [0.0, 5.0, 10.0]  # training began at 5000 s
    assert list(line.y[:3]) == [62.0, 63.0, 64.0]


def test_that_a_node_without_gpus_leaves_their_charts_empty_and_another_run_starts_anew(page: MonitorPage) -> None:
    page.show_run(going())
    page.charts.choose(ViewChoices(shown=NODE_CHARTS))
    page.refresh()
    other = new_run()
    other.run_id = "r-260101-000000-bbbbbb"
    page.show_run(other)
    page.refresh()
    assert all(last(page, key) == {} for key in NODE_CHARTS)
    page.show_run(going(gpus=0))
    page.refresh()
    assert last(page, "gpu_power") == {}
    assert set(last(page, "node_load")) == {"CPU", "memory"}


def test_that_step_time_is_drawn_with_the_parts_that_were_measured(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, 200)
    parts = {"data_s": 0.01, "forward_s": 0.05, "backward_s": 0.1, "optimizer_s": 0.02}
    steps = [StepCompleted(1, step, 2.0, 1e-5, 1.0, 8, 8, 40.0, 0.19, 2**33, 0.1, **parts) for step in (1, 2)]  # type: ignore[arg-type]
    run.fold([Stamped(2000.0 + step.step, step) for step in steps])
    page.charts.maximise("step_time")
    page.show_run(run)
    chart = page.charts.step_time
    assert set(chart.line_names) == {"measured", "waiting for rows", "forward", "backward", "optimizer"}
    assert chart.line("backward")[1].tolist() == [0.1, 0.1]


def test_that_the_held_out_loss_has_a_line_a_source(page: MonitorPage) -> None:
    run = going()
    run.spec = with_value(run.spec, "data.more", (SourceSpec(path="b.jsonl"),))
    run.fold([Stamped(6000.0 + step, Evaluated(1, step, 2.0, 7.4, 9, 3, 0.1, (2.5, 1.5))) for step in (10, 20)])
    page.charts.maximise("held_out")
    page.show_run(run)
    assert page.charts.held_out.line("b.jsonl")[1].tolist() == [1.5, 1.5]
    assert len(page.charts.held_out.line_names) == 3


def test_that_many_gpus_are_drawn_as_their_highest_mean_and_lowest(page: MonitorPage, qtbot: QtBot) -> None:
    page.charts.choose(ViewChoices(shown=("gpu_temperature", "gpu_power")))
    page.show_run(going(gpus=20))
    chart = page.charts.chart("gpu_temperature")
    qtbot.waitUntil(lambda: len(chart.line_names) == 3)
    assert chart.line_names == ("highest of 20 GPUs", "mean of 20 GPUs", "lowest of 20 GPUs")
    power = page.charts.chart("gpu_power")
    qtbot.waitUntil(lambda: "mean of 20 GPUs" in power.line_names)
    assert set(power.line("mean of 20 GPUs")[1]) == {300.0 / 20}
    assert set(power.line("highest of 20 GPUs")[1]) == {300.0}
