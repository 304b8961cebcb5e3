"""The plan does what a plain reading of the job's steps would, and the same every time."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import (
    AugmentStep,
    BalanceStep,
    DeduplicateStep,
    DropStep,
    MapLabelsStep,
    NormaliseStep,
    ReplaceStep,
    Step,
)
from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.dataset.corpus import Corpus, DataPaths, Plan
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from tests.support.tiny import tiny_tokenizer_files

Plans = Callable[..., Plan]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planning")


@pytest.fixture(scope="module")
def model(folder: Path) -> ModelTokenizer:
    return load_tokenizer(tiny_tokenizer_files(folder / "model"))


def texts(path: Path, rows: list[tuple[str, str]]) -> Path:
    """Write rows of text and class."""
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))
    return path


def pairs(path: Path, prompts: list[str], **more: list[object]) -> Path:
    rows = [
        {"prompt": prompt, "completion": "Yes.", **{name: values[number] for name, values in more.items()}}
        for number, prompt in enumerate(prompts)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def corpus_of(model: ModelTokenizer, path: Path, *steps: Step, **fields: object) -> Corpus:
    return Corpus(JobSpec(data=DataSpec(steps=steps, **fields)), model, DataPaths((path,)))  # type: ignore[arg-type]


ROWS = st.lists(
    st.tuples(st.sampled_from(["x", "xx", "y ", "y", "long text"]), st.sampled_from(["a", "b", "c"])),
    min_size=2, max_size=24,
)  # fmt: skip
STEPS = st.lists(
    st.sampled_from([
        NormaliseStep(), ReplaceStep("user", "x", "y"), MapLabelsStep(("c=b",)), DeduplicateStep(),
        DropStep(rows=(0, 3, 99)), DropStep("refusal", (1,)),
    ]), max_size=4,
)  # fmt: skip


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, steps=STEPS)
def test_that_steps_leave_out_what_a_plain_reading_leaves_out(
    model: ModelTokenizer, folder: Path, rows: list[tuple[str, str]], steps: list[Step]
) -> None:
    path = texts(folder / "rows.jsonl", rows)
    corpus = corpus_of(model, path, *steps, shape="classification")
    plan = corpus.plan()
    now = {number: row for number, row in enumerate(rows)}
    for step, report in zip(steps, plan.steps, strict=True):
        before = dict(now)
        match step:
            case NormaliseStep():
                now = {number: (text.strip(), label) for number, (text, label) in now.items()}
            case ReplaceStep():
                now = {number: (text.replace("x", "y"), label) for number, (text, label) in now.items()}
            case MapLabelsStep():
                now = {number: (text, "b" if label == "c" else label) for number, (text, label) in now.items()}
            case DeduplicateStep():
                firsts: dict[tuple[str, str], int] = {}
                for number, row in now.items():
                    firsts.setdefault(row, number)
                now = {number: now[number] for number in firsts.values()}
            case DropStep():
                now = {number: row for number, row in now.items() if number not in step.rows}
        changed = [number for number in now if now[number] != before[number]]
        dropped = [number for number in before if number not in now]
        assert (report.changed, report.dropped, report.added) == (len(changed), len(dropped), 0)
        assert list(report.rows) == (dropped or changed)[:20]
        assert len(report.examples) == min(5, len(report.rows))
        assert report.sentence.endswith(".")
    assert np.flatnonzero(plan.kept).tolist() == list(now)
    assert not (plan.held_out & ~plan.kept).any() and not plan.train[~plan.kept].any()
    said = [
        (one.conversation.turns[0].content, one.conversation.label)
        for one in corpus.examples(plan)
        if one.conversation is not None
    ]
    assert said == list(now.values())
    # No step moves a row from one part to the other.
    without = corpus_of(model, path, shape="classification").plan()
    assert ((plan.train > 0) == ((without.train > 0) & plan.kept)).all()
    assert (plan.held_out == (without.held_out & plan.kept)).all()


def test_that_a_preview_says_what_the_step_then_does(model: ModelTokenizer, folder: Path) -> None:
    rows = [(f"{number % 7} is “a” number", "ab"[number % 3 == 0]) for number in range(40)]
    path = texts(folder / "preview.jsonl", rows)
    first = ReplaceStep("user", "number", "cipher ")
    before = corpus_of(model, path, first, DropStep(rows=(4,)), shape="classification")
    plan = before.plan()
    steps: tuple[Step, ...] = (
        NormaliseStep(), ReplaceStep("any", "([0-6])", r"<\1>", True), DeduplicateStep(), DeduplicateStep(0.7),
        BalanceStep("down"), BalanceStep("up"), DropStep("near_duplicate"), DropStep(rows=(1, 2)), DropStep("email"),
        MapLabelsStep(("a=z",)),
    )  # fmt: skip
    for step in steps:
        after = corpus_of(model, path, first, DropStep(rows=(4,)), step, shape="classification").plan()
        assert before.preview(step, plan) == after.steps[-1]


@pytest.mark.parametrize("weight", [0.0, 3.0])
def test_that_a_preview_over_several_sources_knows_their_parts(
    model: ModelTokenizer, folder: Path, weight: float
) -> None:
    paths = DataPaths(
        (
            pairs(folder / "a.jsonl", [f"a {number % 9}" for number in range(40)]),
            pairs(folder / "b.jsonl", [f"a {number}" for number in range(20)]),
        )
    )
    more = (SourceSpec(path="b", weight=weight / 3),)
    job = JobSpec(data=DataSpec(path="a", weight=weight, more=more, held_out_fraction=0.25))
    corpus = Corpus(job, model, paths)
    plan = corpus.plan()
    for step in (DropStep("leakage"), DeduplicateStep(), DropStep(rows=tuple(range(30, 50)))):
        then = JobSpec(data=DataSpec(path="a", weight=weight, more=more, held_out_fraction=0.25, steps=(step,)))
        assert corpus.preview(step, plan) == Corpus(then, model, paths).plan().steps[0]
        assert corpus.preview(step, plan).dropped


def test_that_a_preview_of_a_finding_nobody_knows_is_refused(model: ModelTokenizer, folder: Path) -> None:
    corpus = corpus_of(model, pairs(folder / "p.jsonl", ["a", "b", "c"]))
    with pytest.raises(DataError, match="no finding named 'nonsense'"):
        corpus.preview(DropStep("nonsense"), corpus.plan())


def test_that_previewing_rows_in_other_words_estimates_them(model: ModelTokenizer, folder: Path) -> None:
    corpus = corpus_of(model, pairs(folder / "p.jsonl", [f"{number}" for number in range(50)]))
    assert corpus.preview(AugmentStep(model="m", share=0.5), corpus.plan()).added == round(45 * 0.5)


def test_that_what_changes_shows_before_and_after_around_the_place(model: ModelTokenizer, folder: Path) -> None:
    long = "word " * 100
    corpus = corpus_of(model, pairs(folder / "p.jsonl", ["abc", long + "abc" + long]), ReplaceStep("any", "b", "B"))
    report = corpus.plan().steps[0]
    assert report.examples[0] == ("abc", "aBc")
    before, after = report.examples[1]
    assert before.startswith("…") and "abc" in before[:80] and "aBc" in after[:80] and len(before) < 320
    assert report.sentence == "Replace 'b' by 'B' in every turn: 2 rows change of 2."


def test_that_near_repeats_of_a_kept_row_are_left_out(model: ModelTokenizer, folder: Path) -> None:
    tale = "Once upon a time there was a small fox that lived under an old oak and liked to count the stars at night"
    prompts = [tale, "Something else entirely, about boats and the sea in winter", tale + " with care", tale]
    plan = corpus_of(model, pairs(folder / "p.jsonl", prompts), DeduplicateStep(0.7)).plan()
    assert plan.kept.tolist() == [True, True, False, False]
    assert plan.steps[0].sentence == "Drop rows at least 0.7 alike: 2 rows left out of 4."


def test_that_a_finding_is_dropped_as_it_stands_at_the_steps_place(model: ModelTokenizer, folder: Path) -> None:
    prompts = ["mail me: someone@mail-server.org", "fine", "fine"]
    path = pairs(folder / "p.jsonl", prompts)
    assert corpus_of(model, path, DropStep("email")).plan().kept.tolist() == [False, True, True]
    cleaned = (ReplaceStep("any", "@", " at "), DropStep("email"))
    assert corpus_of(model, path, *cleaned).plan().kept.all()
    # The second of two equal rows is no repeat once the first is gone.
    gone = corpus_of(model, path, DropStep(rows=(1,)), DropStep("duplicate"), DropStep("email"), DropStep("bad_row"))
    assert gone.plan().kept.tolist() == [False, False, True]


def test_that_leaking_rows_are_dropped_from_the_held_out_part_alone(model: ModelTokenizer, folder: Path) -> None:
    path = pairs(folder / "p.jsonl", [f"row {number % 10}" for number in range(40)])
    whole = corpus_of(model, path, held_out_fraction=0.25).plan()
    assert whole.held_out.sum() == 10
    plan = corpus_of(model, path, DropStep("leakage"), held_out_fraction=0.25).plan()
    assert not plan.held_out.any() or not (
        set(np.flatnonzero(plan.held_out) % 10) & set(np.flatnonzero(plan.train) % 10)
    )
    assert (plan.train == whole.train).all()


def test_that_balancing_up_trains_rows_several_times_and_says_how_many(model: ModelTokenizer, folder: Path) -> None:
    path = texts(folder / "t.jsonl", [(f"t{number}", "a" if number < 5 else "b") for number in range(25)])
    plan = corpus_of(model, path, BalanceStep("up"), shape="classification", held_out_fraction=0.0).plan()
    assert int(plan.train[:5].sum()) == int(plan.train[5:].sum()) == 20
    assert plan.steps[0].sentence == "Balance classes up to at most 1 times the smallest: 15 rows added of 25."
    assert plan.steps[0].added == 15 and plan.steps[0].examples[0][0] == ""


@pytest.mark.parametrize("by", ["row", "class", "group"])
def test_that_the_split_goes_over_all_training_rows_and_a_cap_takes_kept_ones(
    model: ModelTokenizer, folder: Path, by: str
) -> None:
    rows = [(f"t{number}", "aab"[number % 3]) for number in range(90)]
    path = texts(folder / "t.jsonl", rows)
    fields: dict[str, object] = {
        "shape": "classification", "held_out_fraction": 0.2, "held_out_by": by, "held_out_column": "label",
    }  # fmt: skip
    plan = corpus_of(model, path, **fields).plan()
    if by == "group":
        assert {rows[number][1] for number in np.flatnonzero(plan.held_out)} in ({"a"}, {"b"})
        assert not {rows[number][1] for number in np.flatnonzero(plan.train)} & {
            rows[number][1] for number in np.flatnonzero(plan.held_out)
        }
        return
    assert int(plan.held_out.sum()) == 18
    if by == "class":
        assert sum(rows[number][1] == "b" for number in np.flatnonzero(plan.held_out)) == 6
    gone = tuple(np.flatnonzero(plan.held_out)[:10].tolist())
    capped = corpus_of(model, path, DropStep(rows=gone), held_out_rows=6, **fields).plan()
    assert int(capped.held_out.sum()) == 6 and not capped.held_out[list(gone)].any()
    assert (capped.train == plan.train).all()


@pytest.mark.parametrize(
    ("by", "sentence"), [("class", "No row has a class"), ("group", "No row has the group column")]
)
def test_that_a_split_by_what_is_not_there_is_said(model: ModelTokenizer, folder: Path, by: str, sentence: str) -> None:
    path = pairs(folder / "p.jsonl", [str(number) for number in range(20)])
    plan = corpus_of(model, path, held_out_by=by, held_out_column="document").plan()
    assert len(plan.problems) == 1 and plan.problems[0].startswith(sentence)
    assert int(plan.held_out.sum()) == 2


def test_that_rows_without_a_group_are_groups_of_their_own(model: ModelTokenizer, folder: Path) -> None:
    groups: list[object] = [None] * 16 + [{"id": 1}] * 4
    path = pairs(folder / "p.jsonl", [str(number) for number in range(20)], document=groups)
    for seed in range(6):
        job = JobSpec(seed=seed, data=DataSpec(held_out_by="group", held_out_column="document", held_out_fraction=0.3))
        plan = Corpus(job, model, DataPaths((path,))).plan()
        assert not plan.problems
        assert len(set(plan.held_out[16:].tolist())) == 1
        assert abs(int(plan.held_out.sum()) - 6) <= 2


def test_that_weights_mix_sources_and_no_row_comes_more_often_than_it_may(model: ModelTokenizer, folder: Path) -> None:
    sizes = (40, 10, 25)
    paths = tuple(pairs(folder / f"{size}.jsonl", [f"{size} {number}" for number in range(size)]) for size in sizes)
    more = (SourceSpec(path="b", weight=2.0, max_epochs=3.0), SourceSpec(path="c", weight=1.0))
    data = DataSpec(path="a", weight=1.0, more=more, held_out_fraction=0.0)
    plan = Corpus(JobSpec(data=data), model, DataPaths(paths)).plan()
    # The second may give 30 rows and is to be half of all, so 15 come from each of the others.
    shares = [int(part.sum()) for part in np.split(plan.train, [40, 50])]
    assert shares == [15, 30, 15]
    assert (plan.train[40:50] == 3).all() and plan.train[:40].max() == 1
    once = Corpus(JobSpec(data=DataSpec(more=(SourceSpec(), SourceSpec()))), model, DataPaths(paths)).plan()
    assert ((once.train == 1) ^ once.held_out).all()


@pytest.mark.parametrize("held_out_by", ["row", "class"])
def test_that_replayed_rows_fill_their_share_and_are_never_held_out(
    model: ModelTokenizer, folder: Path, held_out_by: str
) -> None:
    first, general, third = (
        texts(folder / f"{name}.jsonl", [(f"{name} {number}", "ab"[number % 2]) for number in range(size)])
        for name, size in (("first", 60), ("general", 7), ("third", 40))
    )
    shape = "classification"
    replay = SourceSpec(path="g", shape=shape, replay=True)
    third_source = SourceSpec(path="t", shape=shape)
    alone = DataSpec(path="f", shape=shape, more=(third_source,), held_out_fraction=0.1, held_out_by=held_out_by)
    data = dataclasses.replace(alone, more=(replay, third_source), replay_share=0.25)
    plan = Corpus(JobSpec(data=data), model, DataPaths((first, general, third))).plan()
    assert int(plan.held_out.sum()) == 10 and not plan.held_out[60:67].any()
    trained = [int(part.sum()) for part in np.split(plan.train, [60, 67])]
    assert trained[0] + trained[2] == 90 and trained[1] == 30, "30 of 120 rows are replayed"
    assert set(plan.train[60:67].tolist()) == {4, 5}, "each as often as the others, give or take one"
    # The main rows are divided as without the replay.
    without = Corpus(JobSpec(data=alone), model, DataPaths((first, third))).plan()
    assert (np.delete(plan.held_out, np.s_[60:67]) == without.held_out).all()
    assert (np.delete(plan.train, np.s_[60:67]) == without.train).all()


def test_that_reports_are_spared_where_nobody_wants_them_and_nothing_else_changes(
    model: ModelTokenizer, folder: Path
) -> None:
    path = pairs(folder / "p.jsonl", ["x", "x ", "y"] * 10)
    corpus = corpus_of(model, path, NormaliseStep(), DeduplicateStep(), ReplaceStep("any", "x", "z"))
    told: list[str] = []
    lean = corpus.plan(lambda *what: told.append(what[0]), with_reports=False)
    full = corpus.plan()
    assert all((getattr(lean, name) == getattr(full, name)).all() for name in ("kept", "train", "held_out"))
    assert [step.changed for step in full.steps] == [10, 0, 1]
    assert "rows" in told


def test_that_a_plan_can_be_stopped(model: ModelTokenizer, folder: Path) -> None:
    path = pairs(folder / "p.jsonl", ["x"] * 600)
    corpus = corpus_of(model, path, NormaliseStep(), DeduplicateStep(0.9))
    corpus.index()
    for most in range(4):
        asked: list[bool] = []

        def cancelled(asked: list[bool] = asked, most: int = most) -> bool:
            asked.append(True)
            return len(asked) > most

        with pytest.raises(CancelledError):
            corpus.plan(cancelled=cancelled)


_SCRIPT = """
import hashlib, sys
from pathlib import Path
from remote_agent.contract.spec_json import spec_from_json
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.tokenizer_files import load_tokenizer
job = spec_from_json(Path(sys.argv[1]).read_text())
plan = Corpus(job, load_tokenizer(Path(sys.argv[2])), DataPaths(tuple(map(Path, sys.argv[3:])))).plan()
print(hashlib.sha256(b"".join(values.tobytes() for values in plan[1:4])).hexdigest())
print(plan.steps)
"""


def test_that_the_plan_does_not_depend_on_the_process_that_makes_it(model: ModelTokenizer, folder: Path) -> None:
    one = texts(folder / "one.jsonl", [(f"t {number % 60}", "abc"[number * number % 3]) for number in range(120)])
    two = texts(folder / "two.jsonl", [(f"u {number}", "cd"[number % 2]) for number in range(50)])
    steps = (NormaliseStep(), DeduplicateStep(), BalanceStep("up", 2.0), DeduplicateStep(0.8), BalanceStep("down", 1.5))
    more = (SourceSpec(path="two", weight=0.3, max_epochs=2.0),)
    data = DataSpec(path="one", shape="classification", steps=steps, weight=0.7, more=more, held_out_by="class")
    (folder / "job.json").write_text(spec_to_json(JobSpec(data=data)))
    answers = {
        subprocess.run(
            [sys.executable, "-c", _SCRIPT, folder / "job.json", folder / "model", one, two],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }  # fmt: skip
    assert len(answers) == 1
