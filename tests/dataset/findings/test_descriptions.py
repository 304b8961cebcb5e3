"""Every finding in words, and every fix such that the job takes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.data_report import RowPair
from remote_agent.contract.data_steps import STEP_CLASSES
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.dataset.findings import KINDS, Found, described
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from tests.dataset.findings.looking import JOB, chat, look, tiny

ROWS = np.arange(50, dtype=np.int64)
PAIRS = tuple(RowPair(row + 1, row, 0.9) for row in range(50))
WITHOUT_FIX = {"pad_is_end", "unused_columns", "dated_template"}


def found(kind: str, **more: object) -> Found:
    detail = "Some.jsonl line 1: no JSON." if kind == "bad_row" else "Some, <b>"
    return Found(**{"kind": kind, "count": 50, "rows": ROWS, "pairs": PAIRS, "detail": detail, "threshold": 0.8,
                    "figures": (300, 500), **more})  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_that_every_kind_has_title_sentence_and_reason(model: ModelTokenizer, kind: str) -> None:
    finding = described(found(kind), JOB, model)
    assert finding.severity in {"error", "warning", "info"}
    assert finding.title and len(finding.title.split()) <= 4
    for text in (finding.sentence, finding.why):
        assert not text[0].islower() and text.endswith(".") and "!" not in text and "{" not in text
    assert len(finding.rows) == 20 and len(finding.pairs) == 20


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - WITHOUT_FIX))
def test_that_every_kind_that_can_be_mended_has_fixes_the_job_takes(tmp_path: Path, kind: str) -> None:
    model = tiny(tmp_path, "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}")
    changes = {
        "last_turn_only": ("data.train_on", "last"),
        "many_epochs": ("batch.epochs", 9.0),
        "foreign_template": ("data.chat_template", "{{ messages }}"),
    }
    job = with_value(JOB, *changes[kind]) if kind in changes else JOB
    fixes = described(found(kind), job, model).fixes
    assert fixes
    for fix in fixes:
        assert fix.label and (fix.step is None) != (not fix.changes)
        if fix.step is not None:
            fields = dict(fix.step)
            assert STEP_CLASSES[fields.pop("kind")](**fields)
        changed: JobSpec = job
        for path, value in fix.changes.items():
            changed = with_value(changed, path, value)
        assert fix.step is not None or changed != job


def test_that_the_lengths_offered_hold_what_they_say_within_the_models_limit(model: ModelTokenizer) -> None:
    def lengths(figures: tuple[int, int], limit: int = 0) -> list[int]:
        fixes = described(found("over_length", figures=figures), JOB, model, limit).fixes
        return [fix.changes["data.max_length"] for fix in fixes if "data.max_length" in fix.changes]

    assert lengths((300, 500)) == [320, 512]
    assert lengths((300, 310)) == [320]
    assert lengths((200, 500)) == [512]
    assert lengths((300, 500), limit=400) == [320]
    assert lengths((300, 500), limit=310) == [310]
    assert lengths((300, 310), limit=256) == []


@pytest.mark.parametrize(
    ("over_length", "said"), [("truncate", "cut at the end"), ("drop", "left out"), ("split", "split into several")]
)
def test_that_the_sentence_says_what_becomes_of_long_rows(model: ModelTokenizer, over_length: str, said: str) -> None:
    job = with_value(JOB, "data.over_length", over_length)
    finding = described(found("over_length", count=2), job, model)
    assert finding.sentence == f"2 rows over 256 tokens, {said}."
    assert over_length not in [fix.changes.get("data.over_length") for fix in finding.fixes]


def test_that_markers_are_added_to_those_of_the_job(model: ModelTokenizer) -> None:
    job = with_value(JOB, "data.added_tokens", ("<c>", "Some"))
    (fix,) = described(found("split_markers"), job, model).fixes
    assert fix.changes == {"data.added_tokens": ("<c>", "Some", "<b>")}


def test_that_leaks_between_files_are_mended_by_leaving_them_out(model: ModelTokenizer) -> None:
    both = described(found("leakage", threshold=None), JOB, model).fixes
    assert [fix.step and fix.step["kind"] for fix in both] == ["deduplicate", "drop"]
    job = with_value(JOB, "data.held_out_path", "held.jsonl")
    assert [fix.step and fix.step["kind"] for fix in described(found("near_leakage"), job, model).fixes] == ["drop"]


def test_that_the_expression_for_addresses_replaces_them(model: ModelTokenizer) -> None:
    import re

    step = described(found("email"), JOB, model).fixes[0].step
    assert step is not None
    assert re.sub(step["find"], step["put"], "To ann@uni-bonn.de, now") == "To user@example.com, now"
    rows = [chat("a", re.sub(step["find"], step["put"], "ann@uni-bonn.de"))]
    assert look(rows, model, kinds={"email"}) == {}
