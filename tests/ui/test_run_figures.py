"""FLOP/s, MFU and estimated beside measured memory where runs are shown: Monitor, Compare and the library."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import with_value
from remote_agent.contract.memory.adapters import beside
from remote_agent.contract.memory.examples import LLAMA_3_70B, worked_examples
from studio.state.library import RunEntry
from studio.state.measured_run import MeasuredRun
from studio.state.run import RunState
from studio.ui import words
from studio.ui.compare.compare_page import ComparePage
from studio.ui.memory.adapters_card import AdaptersCard
from studio.ui.memory.examples_card import ExamplesCard
from studio.ui.memory.host_card import HostCard
from studio.ui.monitor.monitor_page import MonitorPage
from studio.ui.sidebar import Sidebar
from tests.support.reports import cpu_report, gpu_report
from tests.ui.page_session import PageSession, filled_session, fold_start, fold_steps, new_run
from tests.ui.test_memory_cards import _probed
from tests.ui.test_memory_page import known

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

TOTAL = 200


@pytest.fixture
def session() -> PageSession:
    made = filled_session()
    made.draft.set_known(model=known().model, node=gpu_report())
    made.draft.edit({"strategy.zero_stage": 3, "strategy.ranks": 8})
    return made


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> MonitorPage:
    made = MonitorPage(cast(Any, session))
    qtbot.addWidget(made)
    made.resize(1048, 760)
    made.show()
    return made


@pytest.fixture
def compare(qtbot: QtBot, session: PageSession) -> ComparePage:
    made = ComparePage(cast(Any, session))
    qtbot.addWidget(made)
    made.resize(1048, 760)
    made.show()
    return made


@pytest.fixture
def sidebar(qtbot: QtBot, session: PageSession) -> Sidebar:
    made = Sidebar(cast(Any, session))
    qtbot.addWidget(made)
    return made


def _run() -> RunState:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 60, TOTAL)
    return run


def _measured(session: PageSession, run_id: str, **changes: Any) -> MeasuredRun:
    return dataclasses.replace(_probed(session, 1.03), run_id=run_id, **changes)


def test_that_the_monitor_tells_flops_mfu_and_both_peaks_of_a_measured_run(
    page: MonitorPage, session: PageSession
) -> None:
    run = _run()
    page.show_run(run)
    assert page.figures.isHidden()
    session.memory.peaks.put(_measured(session, run.run_id))
    page.refresh()
    said = page.figures.line.whole_text()
    assert "TFLOP/s a GPU, MFU 2" in said and "GiB estimated" in said and "(× 1.03)" in said
    assert page.figures.defect.isHidden()
    session.memory.peaks.put(_measured(session, run.run_id, on_gpu=False, gpu=""))
    page.refresh()
    said = page.figures.line.whole_text()
    assert "TFLOP/s a process" in said and "MFU" not in said


def test_that_what_is_above_the_peak_is_told_as_a_defect_everywhere(
    page: MonitorPage, compare: ComparePage, sidebar: Sidebar, session: PageSession
) -> None:
    entry = RunEntry("r-1", "a", "gpu-box", "finished", tokens_per_s=43e3 * 8)
    session.library.put_run(entry)
    run = _run()
    # what one GPU would have to do alone of what eight did
    session.memory.peaks.put(_measured(session, run.run_id, ranks=1))
    session.memory.peaks.put(_measured(session, entry.run_id, ranks=1))
    page.show_run(run)
    assert "above the GPU's peak" in page.figures.defect.text() and page.figures.defect.isVisible()
    compare.show_runs([run, RunState("r-2", "b", "box", run.spec)])
    assert compare.results is not None
    rows = {row[0]: row[1:] for row in compare.results.as_rows()}
    assert rows["TFLOP/s a GPU or process"][1] == rows["MFU"][1] == "–"
    assert float(rows["TFLOP/s a GPU or process"][0]) > 989 and "above the GPU's peak" in rows["What cannot be"][0]
    hint = next(each.hint for each in sidebar.entries if each.key == entry.run_id)
    assert "TFLOP/s a GPU, MFU" in hint and "above the GPU's peak" in hint


def test_that_host_memory_and_disk_have_bars_of_their_terms_against_the_node(
    qtbot: QtBot, session: PageSession
) -> None:
    card, outlook = HostCard(session.memory.outlook), session.memory.outlook
    qtbot.addWidget(card)
    figures = outlook.figures
    assert figures is not None
    assert "processes 24 GiB" in card.host.bar.text() and "kept checkpoints" in card.disk.bar.text()
    assert "left" in card.host.verdict.text() and " of " in card.disk.figure.text()
    session.draft.set_known(node=dataclasses.replace(gpu_report(), disk_free_bytes=1 << 30))
    assert "over" in card.disk.verdict.text()
    assert card.nvme.isHidden(), "nothing is offloaded"
    session.draft.set_value("strategy.offload_optimizer", True)
    offloaded = outlook.figures
    assert offloaded is not None and offloaded.on_nvme is not None and not card.nvme.isHidden()
    host, disk = offloaded.on_nvme
    assert host < offloaded.host.used.likely and disk > offloaded.disk.total
    assert words.size(host) in card.nvme.text() and "estimate only" in card.nvme.text()
    session.draft.set_known(node=cpu_report())
    assert card.host.isHidden() and not card.disk.isHidden()


def test_that_lora_and_qlora_stand_beside_full_fine_tuning_with_their_sums(qtbot: QtBot, session: PageSession) -> None:
    card = AdaptersCard(session.memory.outlook)
    qtbot.addWidget(card)
    (full, full_sum), (lora, lora_sum), (qlora, _) = [(size.text(), sums.text()) for size, sums in card.rows]
    assert (full, lora, qlora) == ("120 GiB", "15.6 GiB", "4.5 GiB")
    assert full_sum == "8 B parameters × 16 bytes" and "8 B × 2 bytes + 41.9 M of rank 16 × 16 bytes" in lora_sum
    spec = with_value(session.draft.spec, "strategy.precision", "bf16")
    large = beside(spec, LLAMA_3_70B)
    adapter = 16 * 80 * (2 * (8192 + 8192) + 2 * (8192 + 1024) + 3 * (8192 + 28672))
    assert large.adapter == adapter and large.full == 16 * large.parameters
    assert large.lora - 16 * adapter == 2 * large.parameters == pytest.approx(141e9, rel=0.005)
    assert large.qlora - 16 * adapter == pytest.approx(36.4e9, rel=0.005)


def test_that_the_help_tells_the_worked_examples_in_figures(qtbot: QtBot) -> None:
    card = ExamplesCard()
    qtbot.addWidget(card)
    said = " ".join(line.text() for line in card.lines).replace("\N{NARROW NO-BREAK SPACE}", ",")
    for figure in ("1,129 GB", "141.1 GB each", "846.6 GB to the host", "17.64 GB", "12.68 GB", "QLoRA 36.4 GB"):
        assert figure in said
    sums = "\n".join(line.text() for line in card.sums).replace("\N{NARROW NO-BREAK SPACE}", ",").splitlines()
    assert "70,553,706,496 × 16 bytes ÷ 64 GPUs = 17.64 GB" in sums
    assert "70,553,706,496 × 12 bytes = 846.6 GB" in sums
    assert "70,553,706,496 × 4.127 bits = 36.4 GB" in sums
    assert sum("gathered layers" in line and line.endswith(" GB") for line in sums) == 2
    for example in worked_examples():
        assert any(line.endswith(f"= {example.size / 1e9:,.4g} GB") for line in sums), example.key
