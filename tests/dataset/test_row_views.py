"""The tokens that are shown put together are the text, and say what is trained and what is cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.data_report import RowView, TurnView
from remote_agent.contract.frames import MAX_HEAD_BYTES
from remote_agent.contract.job_spec import DataSpec, JobSpec, with_value
from remote_agent.contract.wire import to_wire
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.encoding import RowEncoder, row_fingerprint
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.row_views import fitted, row_view
from tests.support.tiny import tiny_tokenizer_files

JOB = JobSpec(data=DataSpec(max_length=200))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


def views_of(model: Path, folder: Path, rows: Sequence[object], job: JobSpec = JOB) -> list[RowView]:
    path = folder / "some.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    inputs = Inputs(job, model, DataPaths((path,)))
    tokenizer = inputs.tokenizer()
    examples = inputs.corpus(tokenizer, folder / "kept").examples()
    encoded = RowEncoder(tokenizer, job.data).encode(examples, strict=False, offsets=True)
    return [row_view(row, tokenizer, job.data) for batch in encoded for row in batch]


def test_that_tokens_put_together_are_the_text_even_within_a_character(model: Path, tmp_path: Path) -> None:
    (view,) = views_of(model, tmp_path, [{"prompt": "Ωmega 👩‍👩‍👧?", "completion": "naïve 日本"}])
    assert "".join(token.text for token in view.tokens) == view.text
    assert "".join(token.text for token in view.tokens if token.trained) == "naïve 日本<|im_end|>"
    assert {token.text for token in view.tokens if token.special} == {"<|im_start|>", "<|im_end|>"}
    assert view.turns == (TurnView("user", "Ωmega 👩‍👩‍👧?"), TurnView("assistant", "naïve 日本"))
    assert (view.file, view.line, view.part, view.sequence) == ("some.json", 1, "", -1)


def test_that_a_turn_that_only_calls_functions_shows_the_calls(model: Path, tmp_path: Path) -> None:
    call = {"function": {"name": "weather", "arguments": {"city": "Kraków", "days": 2}}}
    messages = [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "no"},
        {"role": "assistant", "content": "I look again.", "tool_calls": [call]},
    ]
    (view,) = views_of(model, tmp_path, [{"messages": messages}])
    said = 'weather({"city": "Kraków", "days": 2})'
    assert [turn.content for turn in view.turns] == ["Rain?", said, "no", f"I look again.\n{said}"]


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


def test_that_a_row_in_pieces_shows_them_whole_and_has_a_fingerprint_of_all(model: Path, tmp_path: Path) -> None:
    job = with_value(JOB, "data.over_length", "split")
    (view,) = views_of(model, tmp_path, [{"prompt": "a", "completion": "b" * 500}], job)
    assert not any(token.truncated for token in view.tokens)
    ids = np.array([token.id for token in view.tokens], dtype=np.int32)
    labels = np.where([token.trained for token in view.tokens], ids, -100).astype(np.int32)
    assert labels[200] == labels[400] == -100
    positions = np.arange(len(ids), dtype=np.int32) % 200
    assert view.fingerprint == row_fingerprint(ids, labels, positions)


def test_that_a_row_shows_its_tools_its_weights_and_its_class(model: Path, tmp_path: Path) -> None:
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
    turns = [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": "No.", "weight": 0},
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": "Yes."},
    ]
    view, *_ = views_of(model, tmp_path, [{"messages": turns, "tools": tools}])
    assert view.tools == ("weather",)
    assert [turn.weight for turn in view.turns] == [1.0, 0.0, 1.0, 1.0]
    assert "No." not in "".join(token.text for token in view.tokens if token.trained)
    view, *_ = views_of(model, tmp_path, [{"text": "A film.", "label": "good"}, {"text": "Another.", "label": "bad"}])
    assert view.label == "good"


def test_that_a_row_too_long_for_a_frame_is_cut_with_a_word(model: Path, tmp_path: Path) -> None:
    (view,) = views_of(model, tmp_path, [{"prompt": "日本" * 10_000, "completion": "b"}])
    row = fitted(to_wire(view))
    assert len(json.dumps(row)) < MAX_HEAD_BYTES
    assert "Too long to show whole: 4,000 of" in row["problem"]
    assert row["fingerprint"] == view.fingerprint
    short = to_wire(views_of(model, tmp_path, [{"prompt": "a", "completion": "b"}])[0])
    assert fitted(short) == short
