"""The memory page shows the contract's estimate, marks what binds, and its bars and proposals choose."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec, StrategySpec
from remote_agent.contract.memory import FITS, estimate_memory, setup_of_job
from remote_agent.contract.memory.host import PROCESS_BYTES
from remote_agent.contract.problems import Known
from studio.state.memory_figures import estimate, parameters_of
from studio.ui.memory.fit_card import FitCard
from studio.ui.memory.memory_card import phase_name, verdict_of
from studio.ui.memory.memory_page import MemoryPage
from studio.ui.memory.phase_card import PhaseChart
from studio.ui.memory.state_bar import parts_of
from tests.support.reports import cpu_report, gpu_report, model_report
from tests.ui.page_session import filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
EIGHT_B = {
    "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192,
}  # fmt: skip


def known(gpus: int = 8) -> Known:
    model = dataclasses.replace(model_report(), parameters=0, config=EIGHT_B)
    return Known(model=model, node=gpu_report(gpus) if gpus else cpu_report())


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_that_a_gpu_holds_what_the_contract_says(stage: int) -> None:
    spec = JobSpec(strategy=StrategySpec(ranks=8, zero_stage=stage))
    figures = estimate(spec, known())
    assert figures is not None
    assert figures.memory == estimate_memory(setup_of_job(spec, EIGHT_B).setup)
    assert figures.used_bytes == figures.memory.card.likely == sum(parts_of(figures))
    assert figures.capacity_bytes == min(gpu.memory_total_bytes for gpu in gpu_report().gpus)


def test_that_processes_of_a_cpu_node_share_the_host() -> None:
    spec = JobSpec(strategy=StrategySpec(ranks=2, zero_stage=1, precision="fp32"))
    figures = estimate(spec, known(gpus=0))
    assert figures is not None and figures.on_host
    assert figures.used_bytes == 2 * (figures.memory.allocated.likely + PROCESS_BYTES)
    assert figures.capacity_bytes == cpu_report().memory_total_bytes


def test_that_nothing_is_made_up_while_the_model_is_unknown() -> None:
    assert estimate(JobSpec(), Known()) is None
    odd = dataclasses.replace(model_report(), parameters=0, config={"model_type": "mamba"})
    assert parameters_of(Known(model=odd)) == 0
    assert estimate(JobSpec(), Known(model=odd)) is None
    no_node = estimate(JobSpec(), Known(model=dataclasses.replace(model_report(), parameters=0, config=EIGHT_B)))
    assert no_node is not None and no_node.fits is None


def test_that_a_verdict_is_a_word_and_not_a_colour_alone() -> None:
    spec = JobSpec(strategy=StrategySpec(ranks=8, zero_stage=0))
    figures = estimate(spec, known())
    assert figures is not None
    said, role = verdict_of(figures)
    assert role == "bad" and "does not fit" in said
    well = estimate(JobSpec(strategy=StrategySpec(ranks=8, zero_stage=3)), known())
    assert well is not None
    assert verdict_of(well)[1] == "good"


def test_that_nobody_says_fits_of_a_model_whose_activations_are_not_counted() -> None:
    odd = dataclasses.replace(model_report(), parameters=3_000_000_000, config={**EIGHT_B, "model_type": "stablelm"})
    figures = estimate(JobSpec(strategy=StrategySpec(ranks=8, zero_stage=3)), Known(model=odd, node=gpu_report()))
    assert figures is not None and "stablelm" in figures.missing
    said, role = verdict_of(figures)
    assert "before activations" in said and "fits" not in said and role == "warning"


def test_that_the_page_marks_the_binding_phase_and_a_small_bar_chooses(qtbot: QtBot) -> None:
    session = filled_session()
    page = MemoryPage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1000, 700)
    figures = estimate(session.draft.spec, session.draft.known)
    assert figures is not None
    said = " ".join(label.text() for label in page.findChildren(QLabel))
    assert phase_name(figures.memory.binding) in said
    chart = page.findChild(PhaseChart)
    assert chart is not None
    assert "weights:" in chart.row_text(5)
    assert chart.row_text(99) == ""
    third = page.stages.variants[3]
    qtbot.mouseClick(third, Qt.MouseButton.LeftButton)
    assert session.draft.spec.strategy.zero_stage == 3
    assert third.isChecked() and not page.stages.variants[1].isChecked()
    assert "ZeRO 3" in third.accessibleName()


def test_that_what_fits_is_found_keeps_the_global_batch_and_is_applied_by_a_click(qtbot: QtBot) -> None:
    session = filled_session()
    session.draft.set_known(model=known().model, node=gpu_report())
    session.draft.edit({"strategy.ranks": 8, "strategy.zero_stage": 0, "batch.micro_batch": 4, "batch.accumulation": 2})
    card = FitCard(session.memory.outlook)
    qtbot.addWidget(card)
    find = card.findChild(QPushButton, "findFits")
    assert find is not None
    find.click()
    assert card.found and all(each.verdict == FITS for each in card.found)
    before = session.draft.plan.global_batch
    apply = card.findChild(QPushButton, "applyFit0")
    assert apply is not None
    apply.click()
    assert session.draft.plan.global_batch == before
    figures = estimate(session.draft.spec, session.draft.known)
    assert figures is not None
    assert figures.verdict == FITS
    assert not card.found


def test_that_an_unknown_model_gets_an_invitation_instead_of_an_empty_bar(qtbot: QtBot) -> None:
    session = filled_session()
    session.draft.set_known(model=None)
    page = MemoryPage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    choose = page.findChild(QPushButton, "memoryChooseModel")
    assert choose is not None
    with qtbot.waitSignal(page.model_wanted):
        choose.click()
