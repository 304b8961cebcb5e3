"""The user's verbs on the real local agent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.job_file import read_job_file
from studio.remote.transport import NodeAddress
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from tests.session.conftest import look
from tests.support.hub_server import COMMIT, HubModel, hub_for_test
from tests.support.model_folder import write_model

_LONG_MS = 60_000


def _notices(session: Session) -> list[tuple[str, str]]:
    heard: list[tuple[str, str]] = []
    session.notice.connect(lambda severity, sentence: heard.append((severity, sentence)))
    return heard


def test_that_choosing_model_and_data_brings_their_reports(looked_at: Session) -> None:
    known = looked_at.draft.known
    assert known.model is not None
    assert known.model.has_tokenizer
    assert known.data is not None
    assert known.data.rows == 40
    assert looked_at.draft.plan.steps_per_epoch > 0
    assert looked_at.model_name
    assert looked_at.data_name == "rows.json"


def test_that_another_length_counts_the_sequences_again(looked_at: Session, qtbot: QtBot) -> None:
    before = looked_at.draft.known.data
    assert before is not None
    looked_at.draft.set_value("data.max_length", 256)
    assert "tokens" in looked_at.draft.stale
    look(looked_at, qtbot)
    after = looked_at.draft.known.data
    assert after is not None
    assert after.train_sequences < before.train_sequences


def test_that_a_model_with_a_smaller_limit_and_another_tokenizer_resets_length_and_says_so(
    looked_at: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    heard = _notices(looked_at)
    other = write_model(tmp_path / "other", limit=64)
    tokenizer = (other / "tokenizer.json").read_text(encoding="utf-8")
    (other / "tokenizer.json").write_text(tokenizer + "\n", encoding="utf-8")
    looked_at.choose_model("desktop", str(other))
    assert looked_at.draft.stale == {"tokens", "template", "length"}
    look(looked_at, qtbot)
    assert looked_at.draft.spec.data.max_length == 64
    assert any("from 128 to the model's limit of 64" in sentence for _, sentence in heard)


def test_that_a_folder_that_is_gone_is_told_and_looking_again_mends_it(
    session: Session, qtbot: QtBot, tmp_path: Path, rows_file: Path
) -> None:
    session.choose_data("desktop", str(rows_file))
    session.choose_model("desktop", str(tmp_path / "model"))
    qtbot.waitUntil(lambda: "not on this computer" in session.inspection_problem, timeout=_LONG_MS)
    write_model(tmp_path / "model")
    session.inspect()
    qtbot.waitUntil(lambda: session.draft.known.data is not None, timeout=_LONG_MS)
    assert session.inspection_problem == ""


def test_that_a_hub_model_needs_a_node_and_is_then_fetched_there_and_pinned(
    session: Session, qtbot: QtBot, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {path.name: path.read_bytes() for path in model_folder.iterdir()}
    with hub_for_test({"org/small": HubModel(files)}, tmp_path / "hf", monkeypatch):
        session.choose_model("desktop", str(model_folder))
        session.draft.set_value("seed", 7)  # the two choices are then two steps of the undo
        session.choose_model("hub", "org/small")
        qtbot.waitUntil(lambda: "lies on the node" in session.inspection_problem, timeout=_LONG_MS)
        session.choose_node(LOCAL_NODE)
        qtbot.waitUntil(lambda: session.draft.known.model is not None, timeout=_LONG_MS)
    assert session.draft.spec.model.revision == COMMIT
    assert session.draft.stale == frozenset()
    assert session.model_name == "org/small"
    session.draft.undo()
    while session.draft.spec.model.source == "hub":
        session.draft.undo()
    assert session.draft.spec.model.id == str(model_folder)


def test_that_hub_data_is_looked_at_on_the_node_and_pinned_to_its_commit(
    session: Session, qtbot: QtBot, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [{"instruction": f"Who is {number}?", "output": f"Number {number}."} for number in range(30)]
    rows = HubModel({"data/train.jsonl": "".join(json.dumps(pair) + "\n" for pair in pairs).encode()})
    with hub_for_test({"org/rows": rows}, tmp_path / "hf", monkeypatch) as hub:
        session.choose_node(LOCAL_NODE)
        session.choose_model("desktop", str(model_folder))
        session.choose_data("hub", "org/rows")
        look(session, qtbot)
        assert session.draft.spec.data.revision == COMMIT
        report = session.draft.known.data
        assert report is not None and report.rows == 30
        asked = len(hub.asked)
        session.inspect()
        look(session, qtbot)
        assert len(hub.asked) == asked, "what is pinned lies on the node"


def test_that_the_hub_is_told_to_be_out_of_reach_with_a_way_on(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    session.choose_node(LOCAL_NODE)
    session.choose_model("hub", "org/name")
    qtbot.waitUntil(lambda: "hf download org/name" in session.inspection_problem, timeout=_LONG_MS)
    assert session.draft.known.model is None


def test_that_choosing_this_computer_adapts_the_job_and_keeps_the_global_batch(session: Session, qtbot: QtBot) -> None:
    heard = _notices(session)
    session.draft.edit({"strategy.ranks": 64, "batch.accumulation": 2})
    session.choose_node(LOCAL_NODE)
    qtbot.waitUntil(lambda: session.draft.known.node is not None, timeout=_LONG_MS)
    assert session.draft.plan.global_batch == 128
    assert session.node is not None
    assert session.node.report is not None
    if not session.node.report.gpus:
        assert session.draft.spec.strategy.precision == "fp32"
        assert any("the global batch stays 128" in sentence for _, sentence in heard)


def test_that_a_job_its_node_and_its_edits_are_there_again_after_a_restart(
    make_session: Callable[[], Session], qtbot: QtBot
) -> None:
    first = make_session()
    job = first.new_job()
    first.rename_job("alpaca")
    first.draft.set_value("seed", 99)
    qtbot.waitUntil(lambda: first.draft.known.node is not None, timeout=_LONG_MS)
    first.close()
    second = make_session()
    assert second.job_id == job
    assert (second.draft.spec.name, second.draft.spec.seed) == ("alpaca", 99)
    assert second.node_name == LOCAL_NODE
    assert second.draft.known.node is not None
    assert not second.draft.can_undo


def test_that_jobs_are_copied_opened_and_deleted(session: Session) -> None:
    first = session.job_id
    session.rename_job("one")
    copy = session.duplicate_job(first)
    assert session.job_id == copy
    assert session.draft.spec.name == "one 2"
    session.delete_job(copy)
    assert session.job_id == first
    assert [job.name for job in session.library.jobs] == ["one"]


def test_that_a_job_file_comes_back_as_a_job_and_a_wrong_one_is_told(session: Session, tmp_path: Path) -> None:
    heard = _notices(session)
    session.draft.set_value("seed", 5)
    session.save_job_file(tmp_path / "job.yaml")
    assert read_job_file(tmp_path / "job.yaml") == session.draft.spec
    before = session.job_id
    session.open_job_file(tmp_path / "job.yaml")
    assert session.job_id != before
    assert session.draft.spec.seed == 5
    (tmp_path / "wrong.yaml").write_text("sed: 3\n", encoding="utf-8")
    session.open_job_file(tmp_path / "wrong.yaml")
    session.open_job_file(tmp_path / "none.yaml")
    assert [severity for severity, _ in heard] == ["info", "error", "error"]
    assert "seed" in heard[1][1]


def test_that_a_launch_with_a_problem_starts_nothing_and_says_why(session: Session) -> None:
    heard = _notices(session)
    session.choose_node(LOCAL_NODE)
    session.launch()
    assert not session.is_launching
    assert "No model is chosen" in heard[-1][1]


def test_that_a_launch_on_data_that_could_not_be_read_is_refused_and_the_data_is_looked_at_again(
    session: Session, qtbot: QtBot, model_folder: Path, tmp_path: Path
) -> None:
    heard = _notices(session)
    rows = tmp_path / "empty.json"
    rows.write_text("", encoding="utf-8")
    session.choose_node(LOCAL_NODE)
    session.choose_model("desktop", str(model_folder))
    session.choose_data("desktop", str(rows))
    session.draft.set_value("data.max_length", 128)
    qtbot.waitUntil(lambda: session.inspection_failed, timeout=_LONG_MS)
    session.launch()
    assert not session.is_launching
    assert heard[-1][0] == "error" and "the file is empty" in heard[-1][1]
    assert session.inspection is not None
    session.cancel_inspection()
    assert not session.inspection_failed


def test_that_a_launch_that_fails_says_so_in_its_step_and_keeps_no_run(
    looked_at: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    heard = _notices(looked_at)
    looked_at.choose_node(LOCAL_NODE)
    qtbot.waitUntil(lambda: looked_at.draft.known.node is not None, timeout=_LONG_MS)
    looked_at.draft.set_value("data.held_out_path", str(tmp_path / "gone.json"))
    looked_at.launch()
    assert looked_at.is_launching
    qtbot.waitUntil(lambda: not looked_at.is_launching, timeout=_LONG_MS)
    states = {step.key: step.state for step in looked_at.launch_progress}
    assert states["connect"] == "done"
    assert "failed" in states.values()
    assert states["start"] == "waiting"
    assert any(severity == "error" and "gone.json" in sentence for severity, sentence in heard)
    assert looked_at.library.runs == ()


def test_that_nodes_are_added_told_when_wrong_and_removed(session: Session, qtbot: QtBot) -> None:
    with pytest.raises(ValueError, match="needs a host"):
        session.add_node(NodeAddress(name="box", kind="ssh"))
    with pytest.raises(ValueError, match="there already"):
        session.add_node(NodeAddress(name=LOCAL_NODE, kind="ssh", host="box"))
    with pytest.raises(ValueError, match="cannot be removed"):
        session.remove_node(LOCAL_NODE)
    session.add_node(NodeAddress(name="box", kind="ssh", host="127.0.0.1", port=1))
    qtbot.waitUntil(lambda: session.hosts["box"].link == "unreachable", timeout=_LONG_MS)
    assert session.hosts["box"].problem
    session.remove_node("box")
    assert "box" not in session.hosts


def test_that_a_folder_of_the_node_is_listed_and_a_missing_one_is_told(
    session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "rows.json").write_text("[]", encoding="utf-8")
    listings: list[dict[str, Any]] = []
    complaints: list[str] = []
    session.browse(LOCAL_NODE, str(tmp_path), listings.append, complaints.append)
    session.browse(LOCAL_NODE, str(tmp_path / "none"), listings.append, complaints.append)
    qtbot.waitUntil(lambda: bool(listings and complaints), timeout=_LONG_MS)
    assert [entry["name"] for entry in listings[0]["entries"]] == ["rows.json"]


def test_that_the_draft_is_exported_as_a_bundle(looked_at: Session, qtbot: QtBot, tmp_path: Path) -> None:
    heard = _notices(looked_at)
    looked_at.export_job(tmp_path / "bundle")
    qtbot.waitUntil(lambda: bool(heard), timeout=_LONG_MS)
    assert heard[0][0] == "info", heard
    assert (tmp_path / "bundle" / "run.sh").is_file()


def test_that_an_unknown_run_is_a_key_error(session: Session) -> None:
    with pytest.raises(KeyError):
        session.run("r-000000-000000-aaaaaa")
