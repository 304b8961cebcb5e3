"""The verbs of the Data page on the real local agent: rows, steps, sources, losses kept, and the report."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.data_report import (
    BatchingReport,
    DataFix,
    RowView,
    StepReport,
    TablePage,
    TableQuery,
)
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import DeduplicateStep, DropStep, NormaliseStep
from remote_agent.contract.job_spec import JobSpec
from studio import places
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from tests.session.conftest import look
from tests.support.sshd import make_known, node_address, running_sshd
from tests.support.tiny import tiny_model, tiny_rows

_LONG_MS = 60_000


def _has_losses(session: Session) -> bool:
    return session.has_losses


def _caught(qtbot: QtBot, signal: Any, act: Callable[[], None]) -> tuple[Any, ...]:
    """Return what a signal carried after an act."""
    with qtbot.waitSignal(signal, timeout=_LONG_MS) as caught:
        act()
    assert caught.args is not None
    return tuple(caught.args)


def test_that_the_table_is_paged_and_a_row_opens_as_its_tokens(looked_at: Session, qtbot: QtBot) -> None:
    query, page = _caught(qtbot, looked_at.table_loaded, lambda: looked_at.load_table(TableQuery(), 2, 3))
    assert query == TableQuery()
    assert isinstance(page, TablePage)
    assert [row.index for row in page.rows] == [2, 3, 4]
    assert (page.start, page.count, page.complete) == (2, 40, True)
    (row,) = _caught(qtbot, looked_at.row_loaded, lambda: looked_at.load_row(4))
    assert isinstance(row, RowView)
    assert row.index == 4
    assert any(token.trained for token in row.tokens)
    index, sentence = _caught(qtbot, looked_at.row_failed, lambda: looked_at.load_row(4000))
    assert index == 4000
    assert sentence


def test_that_a_drag_over_lengths_is_answered_for_the_first_and_the_last(looked_at: Session, qtbot: QtBot) -> None:
    heard: list[tuple[BatchingReport, ...]] = []
    looked_at.batching_loaded.connect(heard.append)
    for length in range(64, 129):
        looked_at.load_batching(length)
    qtbot.waitUntil(lambda: bool(heard) and heard[-1][0].length == 128, timeout=_LONG_MS)
    assert [ways[0].length for ways in heard] == [64, 128]
    assert {way.kind for way in heard[-1]} == {"packed", "padding_free", "padded"}


def test_that_a_step_is_previewed_added_seen_in_the_report_and_taken_back(looked_at: Session, qtbot: QtBot) -> None:
    drop = DropStep(rows=(0, 1, 2))
    step, report = _caught(qtbot, looked_at.step_previewed, lambda: looked_at.preview_step(drop))
    assert step == drop
    assert isinstance(report, StepReport)
    assert report.dropped == 3
    before = looked_at.draft.known.data
    looked_at.add_step(drop)
    assert "tokens" in looked_at.draft.stale
    look(looked_at, qtbot)
    after = looked_at.draft.known.data
    assert before is not None and after is not None
    assert after.train_rows + after.held_out_rows == before.train_rows + before.held_out_rows - 3
    looked_at.draft.undo()
    look(looked_at, qtbot)
    again = looked_at.draft.known.data
    assert again is not None
    assert (again.train_rows, again.train_tokens) == (before.train_rows, before.train_tokens)


def test_that_steps_are_ordered_removed_and_undone_one_by_one(session: Session) -> None:
    first, second, third = DropStep(rows=(1,)), DeduplicateStep(), DropStep(finding="leak")
    for step in (first, second, third):
        session.add_step(step)
    session.move_step(2, 0)
    session.remove_step(1)
    session.remove_step(9)
    seen = [session.draft.spec.data.steps]
    for _ in range(3):
        session.draft.undo()
        seen.append(session.draft.spec.data.steps)
    assert seen == [(third, second), (third, first, second), (first, second, third), (first, second)]


def test_that_a_fix_is_one_step_of_the_undo_and_one_of_another_version_is_told(session: Session) -> None:
    heard: list[tuple[str, str]] = []
    session.notice.connect(lambda severity, sentence: heard.append((severity, sentence)))
    session.apply_data_fix(DataFix("Shorten", {"kind": "deduplicate"}, {"data.max_length": 99}))
    data = session.draft.spec.data
    assert (data.steps, data.max_length) == ((DeduplicateStep(),), 99)
    session.draft.undo()
    assert session.draft.spec == JobSpec()
    session.apply_data_fix(DataFix("Conjure", {"kind": "conjure"}))
    assert heard[0][0] == "error" and heard[0][1].startswith("Conjure cannot be done")


def test_that_a_second_source_is_looked_at_with_the_first_and_goes_again(
    looked_at: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    looked_at.add_source(SourceSpec(path=str(tiny_rows(tmp_path / "more", 25))))
    look(looked_at, qtbot)
    report = looked_at.draft.known.data
    assert report is not None
    assert (report.rows, [source.rows for source in report.sources]) == (65, [40, 25])
    looked_at.add_step(DropStep(rows=(3, 50)))
    look(looked_at, qtbot)
    looked_at.remove_source(0)
    look(looked_at, qtbot)
    assert looked_at.draft.spec.data.steps == (DropStep(rows=(3,)),)
    report = looked_at.draft.known.data
    assert report is not None
    assert report.rows == 40


def test_that_other_data_forgets_steps_that_name_rows(looked_at: Session, tmp_path: Path) -> None:
    for step in (DropStep(rows=(3,)), DeduplicateStep()):
        looked_at.add_step(step)
    looked_at.choose_data("desktop", str(tiny_rows(tmp_path / "other", 10)))
    assert looked_at.draft.spec.data.steps == (DeduplicateStep(),)
    looked_at.draft.undo()
    assert len(looked_at.draft.spec.data.steps) == 2


def test_that_rows_before_any_model_say_what_is_missing(session: Session, rows_file: Path) -> None:
    heard: list[str] = []
    session.table_failed.connect(heard.append)
    session.choose_data("desktop", str(rows_file))
    session.load_table(TableQuery(), 0, 10)
    assert heard == ["The rows show as soon as a model is chosen and has been looked at."]


def test_that_a_session_that_ended_is_told_and_the_next_question_brings_another(
    looked_at: Session, qtbot: QtBot
) -> None:
    live = looked_at._inspecting.live
    assert live._open is not None and live._open.stream is not None
    live._open.stream.close()
    qtbot.waitUntil(lambda: not live.is_open, timeout=_LONG_MS)
    assert looked_at.inspection_problem
    (row,) = _caught(qtbot, looked_at.row_loaded, lambda: looked_at.load_row(1))
    assert row.index == 1
    look(looked_at, qtbot)
    assert looked_at.inspection_problem == ""


@pytest.mark.parametrize("source", ["desktop", "node"])
def test_that_the_next_file_is_looked_at_by_a_session_that_waited_for_it_where_it_lies(
    session: Session, qtbot: QtBot, model_folder: Path, rows_file: Path, tmp_path: Path, source: str
) -> None:
    session.choose_node(LOCAL_NODE)
    session.choose_model("desktop", str(model_folder))
    session.choose_data(source, str(rows_file))
    session.draft.set_value("data.max_length", 128)
    look(session, qtbot)
    live = session._inspecting.live
    machine = LOCAL_NODE if source == "node" else ""
    qtbot.waitUntil(lambda: machine in live._spares and live._spares[machine].stream is not None, timeout=_LONG_MS)
    waiting = live._spares[machine]
    other = tmp_path / "other.jsonl"
    pairs = [{"prompt": f"Say {number}. ", "completion": "It is said."} for number in range(15)]
    other.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    session.choose_data(source, str(other))
    qtbot.waitUntil(lambda: live._open is not None, timeout=_LONG_MS)
    assert live._open is waiting
    _, page = _caught(qtbot, session.table_loaded, lambda: session.load_table(TableQuery(), 0, 3))
    assert [row.prompt for row in page.rows] == ["Say 0. ", "Say 1. ", "Say 2. "]
    look(session, qtbot)
    report = session.draft.known.data
    assert report is not None and report.rows == 15
    qtbot.waitUntil(lambda: session.draft.known.node is not None, timeout=_LONG_MS)


def test_that_a_node_that_answered_has_a_session_that_waits_before_any_of_its_data_is_chosen(
    session: Session, qtbot: QtBot, model_folder: Path, tmp_path: Path
) -> None:
    with running_sshd(tmp_path / "server") as server:
        make_known(server, places.known_hosts_path())
        address = node_address(server, str(tmp_path / "node-home"), "box")
        session.add_node(dataclasses.replace(address, python=sys.executable))
        session.choose_node("box")
        session.choose_model("desktop", str(model_folder))
        live, sent = session._inspecting.live, session._inspecting._sent
        qtbot.waitUntil(
            lambda: bool(sent) and "box" in live._spares and live._spares["box"].stream is not None, timeout=_LONG_MS
        )
        waiting, folders = live._spares["box"], dict(sent)
        session.choose_data("node", str(tiny_rows(tmp_path, 30)))
        assert live._open is waiting
        look(session, qtbot)
        report = session.draft.known.data
        assert report is not None and report.rows == 30
        assert sent == folders, "the tokenizer is asked for once"
        session.close()


def test_that_losses_need_a_node_a_model_and_data(session: Session, qtbot: QtBot) -> None:
    heard: list[str] = []
    session.notice.connect(lambda severity, sentence: heard.append(sentence))
    session.take_losses()
    session.choose_node(LOCAL_NODE)
    session.take_losses()
    assert len(heard) >= 2
    assert "No node is chosen" in heard[0]
    assert "choose both" in heard[-1]
    assert not session.has_losses
    assert session.losses_progress is None
    qtbot.waitUntil(lambda: session.draft.known.node is not None, timeout=_LONG_MS)


@pytest.fixture(scope="module")
def real_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("weights"))


@pytest.mark.slow
def test_that_losses_are_taken_shown_in_the_table_and_there_again_after_a_restart(
    real_weights: Path, make_session: Callable[[], Session], qtbot: QtBot, tmp_path: Path
) -> None:
    session = make_session()
    session.choose_node(LOCAL_NODE)
    session.choose_model("desktop", str(real_weights))
    session.choose_data("desktop", str(tiny_rows(tmp_path / "rows", 12)))
    session.draft.set_value("data.max_length", 128)
    look(session, qtbot)
    hardest = TableQuery(order="loss")
    session.take_losses()
    assert session.losses_progress is not None
    qtbot.waitUntil(lambda: session.losses_progress is None, timeout=3 * _LONG_MS)
    assert session.has_losses
    session.add_step(DropStep(rows=(1,)))
    assert session.has_losses
    look(session, qtbot)
    _, page = _caught(qtbot, session.table_loaded, lambda: session.load_table(hardest, 0, 12))
    losses = [row.loss for row in page.rows]
    assert len(losses) == 12 and None not in losses
    # What changes a row, or how much of it is trained, makes other losses of it.
    others = {"data.steps": (*session.draft.spec.data.steps, NormaliseStep()), "data.max_length": 96}
    for path, value in others.items():
        session.draft.set_value(path, value)
        assert _has_losses(session) is False
        look(session, qtbot)
        _, page = _caught(qtbot, session.table_loaded, lambda: session.load_table(TableQuery(), 0, 12))
        assert {row.loss for row in page.rows} == {None}
        session.draft.undo()
        assert _has_losses(session) is True
    look(session, qtbot)
    _, page = _caught(qtbot, session.table_loaded, lambda: session.load_table(hardest, 0, 12))
    assert [row.loss for row in page.rows] == losses
    session.close()
    again = make_session()
    again.take_up()
    look(again, qtbot)
    assert again.has_losses
    _, page = _caught(qtbot, again.table_loaded, lambda: again.load_table(hardest, 0, 12))
    assert [row.loss for row in page.rows] == losses
    (tmp_path / "rows" / "rows.json").write_text("[]", encoding="utf-8")
    assert not again.has_losses


def test_that_the_report_is_written_with_rows_and_without_data_it_is_told(
    looked_at: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    severity, sentence = _caught(qtbot, looked_at.notice, lambda: looked_at.save_data_report(path))
    assert (severity, sentence) == ("info", f"The report was written to {path}.")
    page = path.read_text(encoding="utf-8")
    assert "40" in page
    assert "&lt;|im_start|&gt;" in page
    severity, sentence = _caught(
        qtbot, looked_at.notice, lambda: looked_at.save_data_report(tmp_path / "no" / "report.html")
    )
    assert severity == "error"


def test_that_an_error_among_the_findings_refuses_the_launch(
    session: Session, qtbot: QtBot, model_folder: Path, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.json"
    pairs = [{"instruction": f"Say {number}", "output": "Good."} for number in range(12)]
    rows.write_text(json.dumps([*pairs, {"instruction": "Say 12", "output": None}]))
    heard: list[str] = []
    session.notice.connect(lambda severity, sentence: heard.append(sentence))
    session.choose_node(LOCAL_NODE)
    session.choose_model("desktop", str(model_folder))
    session.choose_data("desktop", str(rows))
    session.draft.edit({"data.max_length": 128, "strategy.precision": "fp32"})
    qtbot.waitUntil(lambda: session.draft.known.data is not None and session.inspection is None, timeout=_LONG_MS)
    report = session.draft.known.data
    assert report is not None
    assert any(finding.severity == "error" for finding in report.findings), report.findings
    session.launch()
    assert not session.is_launching
    assert "cannot start" in heard[-1]
    qtbot.waitUntil(lambda: session.draft.known.node is not None, timeout=_LONG_MS)


@pytest.mark.parametrize("number", [-1, 1])
def test_that_sources_that_are_not_there_are_passed_over(session: Session, number: int) -> None:
    session.draft.set_value("data.path", "/rows.json")
    session.add_source(SourceSpec(path="/more.json"))
    before = session.draft.spec
    session.remove_source(number)
    session.set_source(number, SourceSpec(path="/other.json"))
    assert session.draft.spec == before
    session.set_source(0, SourceSpec(path="/other.json"))
    assert [source.path for source in session.draft.spec.data.more] == ["/other.json"]
