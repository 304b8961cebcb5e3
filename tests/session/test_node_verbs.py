"""Choosing GPUs of a node: the processes follow, the global batch stays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec
from studio.remote.transport import NodeAddress
from studio.session.known_nodes import known_nodes, save_node
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.state.node import READY, Labels
from tests.support.reports import gpu_report


def _global_batch(spec: JobSpec) -> int:
    return spec.batch.micro_batch * spec.batch.accumulation * spec.strategy.ranks


def _home(session: Session) -> str:
    report = session.hosts["box"].report
    return report.home if report is not None else ""


def _gpus(session: Session) -> tuple[str, ...]:
    return session.draft.known.gpus


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


def test_that_group_and_tags_outlive_probes_new_addresses_and_the_window(
    make_session: Callable[[], Session], qtbot: QtBot
) -> None:
    first = make_session()
    labels = Labels("lab", ("h100", "fast"))
    first.add_node(NodeAddress("box", "ssh", "127.0.0.1", 1))
    first.label_node("box", labels)
    first.label_node(LOCAL_NODE, Labels("mine"))
    first.add_node(NodeAddress("box", "ssh", "127.0.0.1", 2))
    first.probe_node(LOCAL_NODE)
    qtbot.waitUntil(lambda: first.hosts[LOCAL_NODE].link == READY, timeout=60_000)
    assert first.hosts["box"].labels == labels
    second = make_session()
    assert (second.hosts["box"].labels, second.hosts[LOCAL_NODE].labels) == (labels, Labels("mine"))
    assert second.hosts[LOCAL_NODE].report is not None
    second.remove_node("box")
    second.add_node(NodeAddress("box", "ssh", "127.0.0.1", 1))
    assert second.hosts["box"].labels == Labels()


def test_that_folders_are_placed_on_a_node_and_a_wrong_one_is_told(
    session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    failed: list[str] = []
    done: list[bool] = []
    session.place_folders(LOCAL_NODE, {"models": "relative"}, lambda: done.append(True), failed.append)
    qtbot.waitUntil(lambda: bool(failed), timeout=60_000)
    assert failed == ["relative has to be an absolute path or begin with ~."] and not done
    session.place_folders(LOCAL_NODE, {"models": str(tmp_path / "models")}, lambda: done.append(True), failed.append)

    def is_told() -> bool:
        report = session.hosts[LOCAL_NODE].report
        return report is not None and [one.path for one in report.folders if one.placed] == [str(tmp_path / "models")]

    qtbot.waitUntil(is_told, timeout=60_000)
    assert done == [True]


def test_that_an_answer_from_where_a_node_lay_before_is_passed_over(
    make_session: Callable[[], Session], qtbot: QtBot, tmp_path: Path
) -> None:
    session = make_session()
    before = NodeAddress("box", "command", home=str(tmp_path / "before"), command="env")
    after = dataclasses.replace(before, home=str(tmp_path / "after"))
    answers: list[str] = []
    session.add_node(before)
    session.add_node(after)  # while the first is still being asked
    session.hosts.changed.connect(lambda name: answers.append(_home(session)))
    qtbot.waitUntil(lambda: session.hosts["box"].link == READY, timeout=60_000)
    save_node(session._store, before, session.hosts["box"].report)
    session.tasks.close()
    assert set(answers) <= {"", after.home}
    kept = known_nodes(session._store, session._reach.local_address)["box"]
    assert kept.address == after and kept.report is not None and kept.report.home == after.home


def test_that_the_gpus_of_a_job_are_remembered_for_each_node(make_session: Callable[[], Session]) -> None:
    session = make_session()
    for name, count in (("big", 8), ("small", 4)):
        session.add_node(NodeAddress(name, "ssh", "127.0.0.1", 1))
        session.hosts.update(name, report=gpu_report(count))
    session.draft.edit({"batch.accumulation": 8, "batch.micro_batch": 1, "strategy.ranks": 1})
    session.choose_node("big")
    assert session.draft.spec.strategy.ranks == 8 and _gpus(session) == ()
    session.choose_gpus(("GPU-5", "GPU-6"))
    session.choose_node("small")
    assert session.draft.spec.strategy.ranks == 4 and _gpus(session) == ()
    session.choose_gpus(("GPU-2",))
    first = session.job_id
    for node, gpus in (("big", ("GPU-5", "GPU-6")), ("small", ("GPU-2",))):
        session.choose_node(node)
        assert _gpus(session) == gpus
        assert (session.draft.spec.strategy.ranks, _global_batch(session.draft.spec)) == (len(gpus), 8)
    other = session.duplicate_job(first)
    assert session.node_name == "small" and _gpus(session) == ()
    session.open_job(first)
    assert _gpus(session) == ("GPU-2",)
    session.hosts.update("small", report=gpu_report(2))
    session.choose_node("small")
    assert _gpus(session) == () and session.draft.spec.strategy.ranks == 2
    session.choose_node("big")
    session.choose_gpus(())
    session.delete_job(other)
    session.save_job()
    again = make_session()
    again.hosts.update("small", report=gpu_report(4))
    again.choose_node("small")
    assert _gpus(again) == ("GPU-2",)
    again.hosts.update("big", report=gpu_report(8))
    again.choose_node("big")
    assert _gpus(again) == ()


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
