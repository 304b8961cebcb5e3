"""The memory page shows the contract's arithmetic, says what it leaves out, and its small bars choose."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec, StrategySpec
from remote_agent.contract.memory import state_bytes
from remote_agent.contract.problems import Known
from studio.ui.memory.figures import estimate, parameters_of
from studio.ui.memory.memory_card import verdict_of
from studio.ui.memory.memory_page import MemoryPage
from tests.ui.page_session import cpu_report, filled_session, gpu_report, model_report

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
SEVEN_B = 7_000_000_000


def known(gpus: int = 8) -> Known:
    model = dataclasses.replace(model_report(), parameters=SEVEN_B)
    return Known(model=model, node=gpu_report(gpus) if gpus else cpu_report())


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_that_a_gpu_holds_what_the_contract_says(stage: int) -> None:
    spec = JobSpec(strategy=StrategySpec(ranks=8, zero_stage=stage))
    figures = estimate(spec, known())
    assert figures is not None
    assert figures.used_bytes == state_bytes(spec, SEVEN_B).on_gpu
    assert figures.capacity_bytes == min(gpu.memory_total_bytes for gpu in gpu_report().gpus)
    assert figures.fits is (stage > 0)


def test_that_processes_of_a_cpu_node_share_the_host() -> None:
    spec = JobSpec(strategy=StrategySpec(ranks=2, zero_stage=1, precision="fp32"))
    figures = estimate(spec, known(gpus=0))
    assert figures is not None and figures.on_host
    assert figures.used_bytes == 2 * state_bytes(spec, SEVEN_B).on_gpu
    assert figures.capacity_bytes == cpu_report().memory_total_bytes


def test_that_nothing_is_made_up_while_the_model_is_unknown() -> None:
    assert estimate(JobSpec(), Known()) is None
    odd = dataclasses.replace(model_report(), parameters=0, config={"model_type": "mamba"})
    assert parameters_of(Known(model=odd)) == 0
    no_node = estimate(JobSpec(), Known(model=dataclasses.replace(model_report(), parameters=SEVEN_B)))
    assert no_node is not None and no_node.fits is None


def test_that_a_verdict_is_a_word_and_not_a_colour_alone() -> None:
    spec = JobSpec(strategy=StrategySpec(ranks=8, zero_stage=0))
    figures = estimate(spec, known())
    assert figures is not None
    assert verdict_of(figures) == ("✕ does not fit, 24.7 GiB over", "bad")


def test_that_the_page_says_what_is_not_counted_and_a_small_bar_chooses(qtbot: QtBot) -> None:
    session = filled_session()
    page = MemoryPage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1000, 700)
    said = " ".join(label.text() for label in page.findChildren(QLabel))
    assert "Activations, logits and buffers are not counted yet" in said
    third = page.stages.variants[3]
    qtbot.mouseClick(third, Qt.MouseButton.LeftButton)
    assert session.draft.spec.strategy.zero_stage == 3
    assert third.isChecked() and not page.stages.variants[1].isChecked()
    assert "ZeRO 3" in third.accessibleName()


def test_that_an_unknown_model_gets_an_invitation_instead_of_an_empty_bar(qtbot: QtBot) -> None:
    session = filled_session()
    session.draft.set_known(model=None)
    page = MemoryPage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    choose = page.findChild(QPushButton, "memoryChooseModel")
    assert choose is not None
    with qtbot.waitSignal(page.model_wanted):
        choose.click()
