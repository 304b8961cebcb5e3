"""The rows of several sources stand one after the other, with the steps applied, at once and in order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.data_spec import ColumnsSpec, SourceSpec
from remote_agent.contract.data_steps import (
    AugmentStep,
    DeduplicateStep,
    DropStep,
    MapLabelsStep,
    NormaliseStep,
    ReplaceStep,
)
from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.dataset.augmented import AugmentedFile, AugmentedRow, augmented_line, rejected_line
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from tests.support.tiny import tiny_tokenizer_files


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelTokenizer:
    return load_tokenizer(tiny_tokenizer_files(tmp_path_factory.mktemp("model")))


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def pairs(path: Path, name: str, count: int) -> Path:
    return write(path, [{"prompt": f"{name} {number}", "completion": f"{name}!"} for number in range(count)])


@pytest.fixture
def paths(tmp_path: Path) -> DataPaths:
    turns: list[dict[str, object]] = [
        {"messages": [{"role": "user", "content": f"m {number}"}, {"role": "assistant", "content": "ok"}]}
        for number in range(5)
    ]
    return DataPaths(
        (pairs(tmp_path / "a.jsonl", "a", 30), write(tmp_path / "m.jsonl", turns)), pairs(tmp_path / "h.jsonl", "h", 4)
    )


JOB = JobSpec(data=DataSpec(path="a", held_out_path="h", more=(SourceSpec(path="m"),)))


def firsts(corpus: Corpus, start: int, count: int) -> list[tuple[int, int, str]]:
    return [
        (one.row.index, one.row.source, one.conversation.turns[0].content if one.conversation else one.problem)
        for one in corpus.rows_at(start, count)
    ]


def test_that_rows_are_numbered_over_all_sources_and_the_held_out_file_comes_last(
    model: ModelTokenizer, paths: DataPaths
) -> None:
    corpus = Corpus(JOB, model, paths)
    assert [source.is_held_out for source in corpus.sources] == [False, False, True]
    assert corpus.index() == corpus.estimate() == 39
    assert corpus.complete
    assert [source.first_row for source in corpus.sources] == [0, 30, 35]
    assert firsts(corpus, 28, 9) == [
        (28, 0, "a 28"), (29, 0, "a 29"), (30, 1, "m 0"), (31, 1, "m 1"), (32, 1, "m 2"), (33, 1, "m 3"),
        (34, 1, "m 4"), (35, 2, "h 0"), (36, 2, "h 1"),
    ]  # fmt: skip
    assert firsts(corpus, 38, 9) == [(38, 2, "h 3")]
    assert firsts(corpus, 39, 9) == []
    assert [one.row.index for one in corpus.examples()] == list(range(39))


def test_that_the_first_rows_are_there_before_anything_is_indexed(model: ModelTokenizer, tmp_path: Path) -> None:
    corpus = Corpus(JobSpec(), model, DataPaths((pairs(tmp_path / "a.jsonl", "a", 5000),)))
    assert firsts(corpus, 0, 2) == [(0, 0, "a 0"), (1, 0, "a 1")]


def test_that_rows_of_later_sources_can_be_asked_for_in_any_order(model: ModelTokenizer, paths: DataPaths) -> None:
    corpus = Corpus(JOB, model, paths)
    corpus.index()
    for start in (36, 0, 31, 29):
        assert [row[0] for row in firsts(corpus, start, 3)] == [start, start + 1, start + 2]


def test_that_each_source_is_read_by_its_own_shape_columns_and_cap(model: ModelTokenizer, tmp_path: Path) -> None:
    asked = write(tmp_path / "asked.jsonl", [{"q": f"q {number}", "a": "yes"} for number in range(9)])
    more = SourceSpec(path="q", shape="prompt_completion", columns=ColumnsSpec(prompt="q", response="a"), max_rows=4)
    job = JobSpec(data=DataSpec(path="a", max_rows=3, more=(more,)))
    corpus = Corpus(job, model, DataPaths((pairs(tmp_path / "a.jsonl", "a", 8), asked)))
    assert [one.conversation.turns[0].content for one in corpus.examples() if one.conversation] == [
        "a 0", "a 1", "a 2", "q 0", "q 1", "q 2", "q 3",
    ]  # fmt: skip


def test_that_steps_are_applied_in_their_order_to_single_rows_and_to_all(model: ModelTokenizer, tmp_path: Path) -> None:
    steps = (ReplaceStep("any", "a", "b"), ReplaceStep("user", "b", " c"), NormaliseStep())
    job = JobSpec(data=DataSpec(steps=steps))
    corpus = Corpus(job, model, DataPaths((pairs(tmp_path / "a.jsonl", "a", 3),)))
    said = [[turn.content for turn in one.conversation.turns] for one in corpus.rows_at(0, 9) if one.conversation]
    assert said == [["c 0", "b!"], ["c 1", "b!"], ["c 2", "b!"]]
    assert list(corpus.examples()) == corpus.rows_at(0, 9)


def test_that_a_row_that_cannot_be_used_keeps_its_place(model: ModelTokenizer, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\nnonsense\n{"prompt": "c", "completion": 3}\n')
    corpus = Corpus(JobSpec(data=DataSpec(steps=(NormaliseStep(),))), model, DataPaths((path,)))
    found = corpus.rows_at(0, 9)
    assert [one.conversation is None for one in found] == [False, True, True]
    assert "line 2" in found[1].problem and "'completion' is a number" in found[2].problem


def test_that_a_source_without_rows_or_a_finding_nobody_knows_is_refused(model: ModelTokenizer, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DataError, match=r"empty\.jsonl"):
        Corpus(JobSpec(), model, DataPaths((tmp_path / "empty.jsonl",)))
    job = JobSpec(data=DataSpec(steps=(DropStep("nonsense"),)))
    with pytest.raises(DataError, match="no finding named 'nonsense'"):
        Corpus(job, model, DataPaths((pairs(tmp_path / "a.jsonl", "a", 3),)))


def test_that_made_rows_follow_the_others_where_their_row_is_trained(model: ModelTokenizer, tmp_path: Path) -> None:
    steps = (ReplaceStep("any", "!", "?"), AugmentStep(model="m"), DropStep(rows=(2,)), ReplaceStep("user", "so", "SO"))
    job = JobSpec(data=DataSpec(held_out_fraction=0.2, steps=steps))
    made = tmp_path / "made.jsonl"
    data = DataPaths((pairs(tmp_path / "a.jsonl", "a", 10),))
    said = Conversation(
        (Turn("user", "so a!", {"name": "x"}, 0.5), Turn("assistant", "a?")), True, ({"type": "f"},), "l"
    )
    rows = [AugmentedRow(1, row, said, f"Paraphrase of row {row + 1}") for row in range(10)]
    lines = [augmented_line(rows[0]._replace(step=0)), *map(augmented_line, rows), rejected_line(1, {"identical": 5})]
    made.write_text("".join(lines), encoding="utf-8")
    assert list(AugmentedFile(made).rows(1)) == list(AugmentedFile(made).rows(1, 20)) == rows
    corpus = Corpus(job, model, data, augmented=made)
    plan = corpus.plan()
    assert (plan.rows, plan.made) == (21, 11) and not plan.held_out[10:].any()
    found = [one for one in corpus.examples(plan) if one.origin]
    trained = [row for row in range(10) if plan.train[row]]
    assert 2 not in trained and len(trained) == 7
    assert [one.origin for one in found] == [f"Paraphrase of row {row + 1}" for row in trained]
    assert (
        [one.row.index for one in found]
        == [11 + row for row in trained]
        == (10 + np.flatnonzero(plan.kept[10:])).tolist()
    )
    assert [corpus.rows_at(one.row.index, 1) for one in found] == [[one] for one in found]
    assert [one.row.index for one in corpus.rows_at(8, 50)] == list(range(8, 21))
    report = plan.steps[1]
    assert (report.added, report.rows) == (7, tuple(11 + row for row in trained))
    assert report.sentence == ("Add rows in other words: 7 rows added, 5 of 12 results rejected (42 %: 5 identical).")
    # What stands behind the job's steps is tried on the rows of the files alone.
    assert corpus.preview(DeduplicateStep(), plan).dropped == 0
    # Of the row-wise steps only those after the one that made it are applied.
    assert found[0].conversation is not None
    assert found[0].conversation == said._replace(turns=(said.turns[0]._replace(content="SO a!"), said.turns[1]))


def test_that_a_damaged_line_of_made_rows_is_named(tmp_path: Path) -> None:
    made = tmp_path / "made.jsonl"
    made.write_text('{"step": 0}\n')
    with pytest.raises(DataError, match=r"made\.jsonl line 1"):
        AugmentedFile(made)


def test_that_a_class_follows_the_map_in_shape_and_answer(model: ModelTokenizer, tmp_path: Path) -> None:
    path = write(tmp_path / "c.jsonl", [{"text": "good", "label": "1"}, {"text": "bad", "label": "0"}])
    job = JobSpec(data=DataSpec(shape="classification", steps=(MapLabelsStep(("1=yes", "0=no")),)))
    found = Corpus(job, model, DataPaths((path,))).rows_at(0, 2)
    assert [one.conversation.label for one in found if one.conversation] == ["yes", "no"]
    assert [one.conversation.turns[-1].content for one in found if one.conversation] == ["yes", "no"]
