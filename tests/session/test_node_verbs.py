"""Choosing GPUs of a node: the processes follow, the global batch stays."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.state.node import READY
from tests.support.reports import gpu_report


def _global_batch(spec: JobSpec) -> int:
    return spec.batch.micro_batch * spec.batch.accumulation * spec.strategy.ranks


@pytest.mark.parametrize(
    ("chosen", "ranks"), [(("GPU-3", "GPU-1"), 2), (("GPU-0",), 1), (("GPU-0", "GPU-1", "GPU-2", "GPU-3"), 4)]
)
def test_that_one_process_runs_on_each_chosen_gpu_with_the_same_global_batch(
    session: Session, chosen: tuple[str, ...], ranks: int
) -> None:
    session.draft.edit({"strategy.ranks": 2, "batch.accumulation": 4, "batch.micro_batch": 1})
    session.draft.set_known(node=gpu_report(4))
    before = _global_batch(session.draft.spec)
    session.choose_gpus(chosen)
    assert session.draft.known.gpus == tuple(sorted(chosen))
    assert session.draft.spec.strategy.ranks == ranks
    assert _global_batch(session.draft.spec) == before
    session.choose_gpus(())
    assert session.draft.known.gpus == () and session.draft.spec.strategy.ranks == ranks


def test_that_the_ranks_of_the_draft_are_tried_on_this_computer(session: Session, qtbot: QtBot) -> None:
    session.probe_node(LOCAL_NODE)
    qtbot.waitUntil(lambda: session.hosts[LOCAL_NODE].link == READY, timeout=60_000)
    session.choose_node(LOCAL_NODE)
    session.draft.set_value("strategy.ranks", 2)
    session.collective_tests.run(LOCAL_NODE)
    assert session.collective_tests.is_running
    qtbot.waitUntil(lambda: not session.collective_tests.is_running, timeout=60_000)
    report = session.collective_tests.report
    assert report is not None, session.collective_tests.problem
    assert (report.ranks, report.backend) == (2, "gloo") and report.bus_bytes_per_s > 0
