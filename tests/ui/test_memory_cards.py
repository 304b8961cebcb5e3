"""The Memory page's further cards: any GPU of the table, time and cost, what was measured, and never a NaN."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from remote_agent.contract.memory_probe import MemoryTrace, memory_probe_job
from remote_agent.contract.spec_json import spec_to_json
from studio.state.measured_run import MeasuredRun, model_key
from studio.state.memory_figures import ranks_figures
from studio.ui.memory.cost_card import CostCard
from studio.ui.memory.fit_card import FitCard
from studio.ui.memory.hardware_card import HardwareCard
from studio.ui.memory.measured_card import MeasuredCard
from studio.ui.memory.memory_page import MemoryPage
from tests.support.reports import cpu_report, gpu_report
from tests.ui.page_session import PageSession, filled_session
from tests.ui.test_memory_page import EIGHT_B, known

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def session() -> PageSession:
    made = filled_session()
    made.draft.set_known(model=known().model, node=gpu_report())
    made.draft.edit({"strategy.zero_stage": 3})
    return made


def _probed(session: PageSession, times: float) -> MeasuredRun:
    figures = session.memory.outlook.figures
    assert figures is not None
    spec, predicted = memory_probe_job(session.draft.spec), ranks_figures(figures)
    measured = {name: int(size * times) for name, size in predicted.items()}
    return MeasuredRun(
        "r-1", spec.name, session.node_name, model_key(spec.model), 1.0, True, True, True, 8, 8 * 4200.0,
        spec_to_json(spec), EIGHT_B, figures.parameters, "NVIDIA H100 80GB HBM3", predicted, measured,
    )  # fmt: skip


def _said(page: MemoryPage) -> str:
    return " ".join(label.text() for label in page.findChildren(QLabel))


def test_that_any_gpu_of_the_table_and_any_number_can_be_looked_at(qtbot: QtBot, session: PageSession) -> None:
    card, outlook = HardwareCard(session.memory), session.memory.outlook  # type: ignore[arg-type]
    qtbot.addWidget(card)
    assert card.kind.count() == len(session.memory.gpu_kinds) + 1
    for kind in session.memory.gpu_kinds:
        card.kind.setCurrentIndex(card.kind.findData(kind.name))
        assert outlook.figures is not None and outlook.figures.capacity_bytes == kind.memory_bytes
    card.count.selectAll()
    qtbot.keyClicks(card.count, "16\r")
    assert session.draft.spec.strategy.ranks == 16
    card.kind.setCurrentIndex(0)
    assert outlook.figures is not None
    assert outlook.figures.capacity_bytes == min(gpu.memory_total_bytes for gpu in gpu_report().gpus)


def test_that_the_search_also_says_how_far_batch_length_and_model_could_go(qtbot: QtBot, session: PageSession) -> None:
    card = FitCard(session.memory.outlook)
    qtbot.addWidget(card)
    card.search()
    said = " ".join(label.text() for label in card.findChildren(QLabel))
    assert "at most a micro batch of" in said and "a sequence length of" in said and "B parameters fits" in said


def test_that_time_follows_the_roofline_until_a_run_was_measured_and_the_typed_price_counts(
    qtbot: QtBot, session: PageSession
) -> None:
    card = CostCard(session.memory)  # type: ignore[arg-type]
    qtbot.addWidget(card)
    stated = card.outlay
    assert stated.step is not None and stated.cost is not None and stated.measured is None
    assert stated.cost.hours.low < stated.cost.hours.likely < stated.cost.hours.high
    card.price.selectAll()
    qtbot.keyClicks(card.price, "10\r")
    priced = card.outlay.cost
    assert priced is not None and priced.price.likely == pytest.approx(80.0 * priced.hours.likely)
    run = _probed(session, 1.0)
    session.memory.peaks.put(run)
    measured = card.outlay
    assert measured.measured == run and measured.step is not None
    assert measured.step.tokens_per_s_per_gpu.likely == pytest.approx(4200.0, rel=0.05)
    assert run.name in card.note.text()


def test_that_a_probe_corrects_the_figures_visibly_and_can_be_taken_back(qtbot: QtBot, session: PageSession) -> None:
    page = MemoryPage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    before = session.memory.outlook.figures
    session.memory.peaks.put(_probed(session, 1.1))
    after = session.memory.outlook.figures
    assert before is not None and after is not None
    assert after.peak_bytes == pytest.approx(1.1 * before.peak_bytes, rel=1e-6)
    assert "Corrected: a probe measured" in _said(page) and "× 1.10" in _said(page)
    drop = page.findChild(QPushButton, "dropCorrection")
    assert drop is not None and not drop.isHidden()
    drop.click()
    assert ("drop_correction",) in session.calls


def test_that_probe_and_trace_are_buttons_that_say_why_they_cannot(qtbot: QtBot, session: PageSession) -> None:
    memory = session.memory
    card = MeasuredCard(memory)  # type: ignore[arg-type]
    qtbot.addWidget(card)
    memory.refusal = "No node is chosen; choose one on the Launch page."
    card.probe.click()
    assert card.note.text() == memory.refusal
    memory.refusal = ""
    card.probe.click()
    card.trace.click()
    assert "Cancel" in card.trace.text()
    card.trace.click()
    assert session.calls[-3:] == [("start_probe",), ("take_trace",), ("cancel_trace",)]
    memory.trace = MemoryTrace(8, 50 << 30, {"Parameter": 16 << 30})
    memory.changed.emit()
    assert "50 GiB at the peak (weights 16 GiB)" in card.traced.text()


@pytest.mark.parametrize("vocabulary", [0, -5, 10**12])
def test_that_no_odd_model_or_node_brings_a_figure_that_is_none(
    qtbot: QtBot, session: PageSession, vocabulary: int
) -> None:
    page = MemoryPage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    model = session.draft.known.model
    assert model is not None
    session.draft.set_known(model=dataclasses.replace(model, config={**EIGHT_B, "vocab_size": vocabulary}))
    session.draft.edit({"data.max_length": 10**9, "strategy.ranks": 4096})
    session.draft.set_known(node=cpu_report())
    session.draft.set_known(model=dataclasses.replace(model, config={"model_type": "mamba"}, parameters=10**9))
    assert "nan" not in _said(page).lower().replace("finance", "") and "∞" not in _said(page)
