"""The tokens that are shown put together are the text, and say what is trained and what is cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from remote_agent.contract.data_report import RowView, TurnView
from remote_agent.contract.job_spec import DataSpec, JobSpec, with_value
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.row_views import row_views
from tests.support.tiny import tiny_rows, tiny_tokenizer_files

JOB = JobSpec(data=DataSpec(max_length=200))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


def views_of(model: Path, folder: Path, rows: Sequence[object], job: JobSpec = JOB) -> list[RowView]:
    path = folder / "some.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return list(row_views(job, model, path, 0, len(rows)))


def test_that_any_window_of_rows_is_the_same_rows(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    everything = list(row_views(JOB, model, data, 0, 100))
    assert [view.index for view in everything] == list(range(40))
    assert list(row_views(JOB, model, data, 7, 3)) == everything[7:10]
    assert list(row_views(JOB, model, data, 40, 3)) == []
    assert len(list(row_views(with_value(JOB, "data.max_rows", 5), model, data, 0, 100))) == 5
    with pytest.raises(DataError, match="count from 0"):
        list(row_views(JOB, model, data, -1, 3))


def test_that_tokens_put_together_are_the_text_even_within_a_character(model: Path, tmp_path: Path) -> None:
    (view,) = views_of(model, tmp_path, [{"prompt": "Ωmega 👩‍👩‍👧?", "completion": "naïve 日本"}])
    assert "".join(token.text for token in view.tokens) == view.text
    assert "".join(token.text for token in view.tokens if token.trained) == "naïve 日本<|im_end|>"
    assert {token.text for token in view.tokens if token.special} == {"<|im_start|>", "<|im_end|>"}
    assert view.turns == (TurnView("user", "Ωmega 👩‍👩‍👧?"), TurnView("assistant", "naïve 日本"))


def test_that_what_is_cut_is_shown_as_cut(model: Path, tmp_path: Path) -> None:
    rows: list[object] = [{"prompt": "a", "completion": "b" * 300}]
    (view,) = views_of(model, tmp_path, rows)
    assert [token.truncated for token in view.tokens] == [False] * 200 + [True] * (len(view.tokens) - 200)
    assert not any(token.trained for token in view.tokens[200:])
    assert view.problem == ""
    (dropped,) = views_of(model, tmp_path, rows, with_value(JOB, "data.over_length", "drop"))
    assert dropped.problem == f"Left out: {len(view.tokens)} tokens, {len(view.tokens) - 200} over the sequence length."
    assert all(token.truncated for token in dropped.tokens)


def test_that_a_row_that_cannot_be_used_is_shown_with_its_problem(model: Path, tmp_path: Path) -> None:
    good = {"prompt": "a", "completion": "b"}
    views = views_of(
        model, tmp_path, [good, {"prompt": "a", "completion": 3}, good, {"prompt": "a" * 300, "completion": "b"}]
    )
    assert [bool(view.problem) for view in views] == [False, True, False, True]
    assert "'completion' is a number" in views[1].problem
    assert (views[1].text, views[1].tokens) == ("", ())
    assert views[3].problem == "Left out: no token of it would be trained within the sequence length."
    assert views[0].fingerprint == views[2].fingerprint != views[1].fingerprint
