"""All findings in one pass: in their order, over real data, and none for clean rows."""

from __future__ import annotations

import random

import pytest

from remote_agent.contract.data_spec import all_sources
from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.encoding import RowEncoder
from remote_agent.dataset.findings import KINDS, FindingsPass, described
from remote_agent.dataset.shapes import row_shape
from remote_agent.dataset.sources import rows_of as rows_in_file
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from tests.dataset.findings.looking import JOB, chat, encoded, look, roles, rows_of
from tests.support.samples import sample


def test_that_every_kind_belongs_to_one_check_or_to_the_job() -> None:
    from remote_agent.dataset.findings.job_checks import RunCheck
    from remote_agent.dataset.findings.languages import LanguageCheck
    from remote_agent.dataset.findings.set_checks import AlikeChecks, ClassCheck, LengthCheck
    from remote_agent.dataset.findings.text_checks import TextChecks
    from remote_agent.dataset.findings.token_checks import TokenChecks

    of_job = ["split_markers", "foreign_template", "no_end_token", "pad_is_end", "dated_template", "unused_columns"]
    checks = (TextChecks, TokenChecks, AlikeChecks, LanguageCheck, ClassCheck, LengthCheck, RunCheck)
    named = [kind for check in checks for kind in check.kinds] + of_job
    assert sorted(named) == sorted(KINDS)


def test_that_clean_rows_have_no_finding_of_rows(model: ModelTokenizer) -> None:
    numbers = random.Random(1)
    words = [one + two for one in ("ri", "mo", "vi", "ap", "ga", "le") for two in ("ver", "ning", "lin", "ple", "den")]
    rows = [chat(" ".join(numbers.choices(words, k=9)), " ".join(numbers.choices(words, k=14))) for _ in range(120)]
    assert [*look(rows, model, held_out=range(10))] == ["pad_is_end"]


def test_that_findings_come_in_the_order_of_their_kinds_whatever_was_asked(model: ModelTokenizer) -> None:
    rows = [chat("a", " "), None, chat("a", "ann@uni-bonn.de"), chat("a", " "), roles("user")]
    found = look(rows, model)
    order = [*KINDS]
    assert [*found] == sorted(found, key=order.index)
    for kind, one in found.items():
        alone = look(rows, model, kinds={kind})
        assert rows_of(alone) == {kind: one.rows.tolist()}
        assert (alone[kind].count, alone[kind].detail, alone[kind].figures) == (one.count, one.detail, one.figures)


def test_that_no_rows_give_no_findings_of_rows(model: ModelTokenizer) -> None:
    assert [*look([], model)] == ["pad_is_end"]


def test_that_a_pass_can_be_asked_before_its_end_and_again(model: ModelTokenizer) -> None:
    rows = encoded([chat("a", "b"), chat("a", "b"), chat("a", "b")], model)
    findings = FindingsPass(JOB, model, {"duplicate", "near_duplicate", "empty_response"})
    counts = []
    for row in rows:
        findings.take([row], ["train"])
        counts.append([one.count for one in findings.finish()])
    assert counts == [[], [1], [2]]


def test_that_an_unknown_kind_is_refused_with_those_there_are(model: ModelTokenizer) -> None:
    with pytest.raises(DataError, match=r"no finding named 'emtpy'; there are .*empty_response"):
        FindingsPass(JOB, model, {"emtpy"})


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("alpaca_en_demo.json", {"duplicate": 14, "refusal": 18}),
        (
            "glaive_toolcall_en_demo.json",
            {"tools_ignored": 189, "duplicate": 35, "near_duplicate": 6, "conflicting_answers": 3, "refusal": 42},
        ),
        ("c4_demo.jsonl", {"lost_characters": 4, "other_language": 2, "email": 7}),
    ],
)
def test_that_real_data_has_the_findings_that_a_reader_agrees_with(
    model: ModelTokenizer, name: str, counts: dict[str, int]
) -> None:
    path = sample(name)
    job = JobSpec(data=DataSpec(path=str(path), max_length=1 << 15))
    rows = list(rows_in_file(path))
    shape = row_shape(rows, all_sources(job.data)[0], job.data)
    findings = FindingsPass(job, model)
    for batch in RowEncoder(model, job.data).encode(map(shape.example, rows), strict=False):
        findings.take(batch, ["train"] * len(batch))
    found = findings.finish()
    assert {one.kind: one.count for one in found if one.kind != "pad_is_end"} == counts
    for one in found:
        assert described(one, job, model).sentence
