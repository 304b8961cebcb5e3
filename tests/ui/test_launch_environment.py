"""The Launch page's word on what the node has and lacks: its environment, what a build fetches, its attention."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QProgressBar, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.node_report import Interpreter, PackageVersion, Survey
from remote_agent.contract.overlay import choose_overlay
from remote_agent.contract.problem import changed_fields
from studio.session.environment_locks import shipped_locks
from studio.session.environments import EnvironmentPlan
from studio.session.launching import LaunchStep
from studio.state.node import READY
from studio.ui.launch.checks import problems_before_launch
from studio.ui.launch.launch_page import LaunchPage
from studio.ui.launch.survey_words import survey_lines
from tests.support.reports import gpu_report
from tests.ui.page_session import PageSession, data_report, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def as_session(session: PageSession) -> Any:
    return cast(Any, session)


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    made = filled_session()
    made.draft.set_known(data=dataclasses.replace(data_report(), findings=()))
    return made


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> LaunchPage:
    made = LaunchPage(as_session(session))
    qtbot.addWidget(made)
    made.resize(1048, 640)
    made.show()
    return made


def text_of(page: QWidget, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return str(found.whole_text()) if hasattr(found, "whole_text") else found.text()


def test_that_the_environment_says_what_a_build_would_fetch_and_builds_at_a_click(
    page: LaunchPage, session: PageSession
) -> None:
    lock = next(each for each in shipped_locks() if each.name == "cu130-py311")
    session.environments.planned = EnvironmentPlan(lock, sends=True)
    session.hosts.update("gpu-box", report=dataclasses.replace(gpu_report(), interpreter=None), link=READY)
    assert text_of(page, "environmentState") == "The node has no Python that trains yet."
    said = text_of(page, "environmentPlan")
    assert "85 packages" in said and "2.7 GiB: Python 3.11, torch 2.13.0" in said
    assert "this computer fetches and sends them" in said and "not been run yet" in said
    build = page.environment_card.build_button
    QTest.mouseClick(build, Qt.MouseButton.LeftButton)
    assert session.calls == [("build_environment", "gpu-box")]
    session.environments.is_building, session.environments.node_name = True, "gpu-box"
    session.environments.steps = (
        LaunchStep("get", "Fetch the packages to the node", "doing", "", 1e9, 4e9, "bytes"),
        LaunchStep("build", "Build the environment"),
    )
    session.environments.changed.emit()
    assert not build.isVisible()
    bar = page.environment_card.findChild(QProgressBar, "stepBar_get")
    assert isinstance(bar, QProgressBar) and bar.value() == 250
    QTest.mouseClick(page.environment_card.cancel_button, Qt.MouseButton.LeftButton)
    assert session.calls[-1] == ("cancel_environment",)


def test_that_a_build_on_the_torch_of_an_image_says_whose_it_is_and_what_is_left_to_fetch(
    page: LaunchPage, session: PageSession
) -> None:
    image = Interpreter("/opt/venv/bin/python3", "3.11.9", (PackageVersion("torch", "2.13.0+cu130"),))
    report = dataclasses.replace(
        gpu_report(), system="Ubuntu 24.04, x86_64", interpreter=None,
        survey=Survey(driver="580.1", interpreters=(image,)),
    )  # fmt: skip
    session.environments.planned = EnvironmentPlan(choose_overlay(shipped_locks(), report))
    session.hosts.update("gpu-box", report=report, link=READY)
    said = text_of(page, "environmentPlan")
    assert "65 packages with fixed hashes, 148 MiB: Python 3.11, torch 2.13.0+cu130." in said
    assert "The torch of /opt/venv/bin/python3 is used as it is" in said


def test_that_the_nodes_card_says_by_what_attention_is_computed_and_a_missing_one_is_mended_by_a_click(
    qtbot: QtBot, page: LaunchPage, session: PageSession
) -> None:
    report = gpu_report()
    assert report.interpreter is not None
    for version, words in (("2.8.3", "FlashAttention 2 by its package, version 2.8.3"), ("", "lacks flash-attn and")):
        extras = (PackageVersion("flash-attn", version), PackageVersion("kernels", ""))
        python = dataclasses.replace(report.interpreter, extras=extras)
        seen = dataclasses.replace(report, interpreter=python, survey=Survey())
        assert any(words in line for line in survey_lines(seen))
    session.draft.edit({"strategy.attention": "flash_attention_2", "strategy.precision": "bf16"})
    session.draft.set_known(node=seen)
    session.hosts.update("gpu-box", report=seen, link=READY)
    (problem,) = [each for each in problems_before_launch(as_session(session)) if "FlashAttention 2" in each.sentence]
    assert problem.fix is not None
    session.draft.edit(changed_fields(problem.fix))
    assert session.draft.spec.strategy.attention == "sdpa"
    assert not [each for each in problems_before_launch(as_session(session)) if "FlashAttention" in each.sentence]


def test_that_the_reason_stands_where_no_lock_fits_the_node(page: LaunchPage, session: PageSession) -> None:
    session.environments.planned = EnvironmentPlan(None, problem="The node's NVIDIA driver is 470.")
    session.environments.changed.emit()
    assert text_of(page, "environmentPlan") == "The node's NVIDIA driver is 470."
    assert not page.environment_card.build_button.isEnabled()
