"""Losses of rows under the base model: equal to transformers' own, in their places, ordered so that errors show."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from remote_agent.contract.data_steps import DropStep
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.encoding import EncodedRow, RowEncoder
from remote_agent.dataset.row_losses import RowLosses
from remote_agent.dataset.tokenizer_files import load_tokenizer
from remote_agent.trainer import surprise
from remote_agent.trainer.row_losses import take_row_losses
from studio.demo.docstring_pairs import docstring_pairs
from tests.support.agent_call import agent_call
from tests.support.real_model import real_inputs
from tests.support.tiny import tiny_model, tiny_rows
from tests.trainer.run_folder import job


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"))


def _encoded(spec: JobSpec, model: Path, rows: Path) -> list[EncodedRow]:
    tokenizer = load_tokenizer(model)
    corpus = Corpus(spec, tokenizer, DataPaths((rows,)))
    return [row for batch in RowEncoder(tokenizer, spec.data).encode(corpus.examples(), strict=False) for row in batch]


def _plain(model: Any, row: EncodedRow) -> Any:
    """Return the loss of each token of a row by transformers' logits, NaN where it is not trained."""
    found = np.full(len(row.ids), np.nan)
    for start, end in row.pieces:
        ids = torch.tensor(row.ids[None, start:end].astype("int64"))
        with torch.no_grad():
            each = torch.nn.functional.cross_entropy(model(ids).logits[0, :-1], ids[0, 1:], reduction="none")
        trained = np.flatnonzero(row.labels[start + 1 : end] != -100)
        found[start + 1 + trained] = each.numpy()[trained]
    return found


def _kept(row: EncodedRow, values: Any) -> Any:
    return np.concatenate([values[start:end] for start, end in row.pieces])


@pytest.mark.parametrize(("over_length", "max_length"), [("truncate", 128), ("truncate", 64), ("split", 24)])
def test_that_means_and_single_tokens_are_those_of_the_plain_model(
    folder: Path, tmp_path: Path, over_length: str, max_length: int
) -> None:
    rows = tiny_rows(tmp_path, 30)
    spec = job(data__over_length=over_length, data__max_length=max_length)
    found = take_row_losses(spec, folder, DataPaths((rows,)))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    encoded = _encoded(spec, folder, rows)
    expected = {row.row.index: _plain(model, row) for row in encoded if row.pieces}
    assert found.rows.tolist() == sorted(expected)
    for at, row in enumerate(found.rows.tolist()):
        trained = expected[row][~np.isnan(expected[row])]
        assert found.tokens[at] == len(trained)
        assert found.mean[at] == pytest.approx(trained.mean(), abs=1e-5)
        tokens = found.tokens_of(row)
        assert tokens is not None
        assert np.allclose(tokens, _kept(encoded[row], expected[row]), atol=1e-2, equal_nan=True)


def test_that_the_surprise_is_the_loss_after_the_own_prompt_less_that_after_others(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surprise, "MORE_PROMPTS", 0)
    rows = tiny_rows(tmp_path, 3)
    spec = job(data__max_length=256)
    found = take_row_losses(spec, folder, DataPaths((rows,)))
    assert found.surprise is not None
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    encoded = _encoded(spec, folder, rows)
    prompts = [int(np.argmax(row.labels != -100)) for row in encoded]
    by_length = sorted(range(3), key=lambda at: prompts[at])
    for place, at in enumerate(by_length):
        other, own = by_length[place - 1], prompts[at]
        foreign = encoded[other].ids[: prompts[other]][-own:]
        ids = torch.tensor(np.concatenate([foreign, encoded[at].ids[own:]])[None].astype("int64"))
        with torch.no_grad():
            each = torch.nn.functional.cross_entropy(model(ids).logits[0, :-1], ids[0, 1:], reduction="none").numpy()
        places = len(foreign) - 1 + np.flatnonzero(encoded[at].labels[own:] != -100)
        expected = np.nansum(_plain(model, encoded[at])) - each[places].sum()
        assert found.surprise[at] == pytest.approx(expected, abs=1e-4)


def test_that_windows_and_batches_leave_the_losses_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tiny_rows(tmp_path, 25)
    whole = take_row_losses(job(data__max_length=128), folder, DataPaths((rows,)))
    monkeypatch.setattr(surprise, "WINDOW_ROWS", 7)
    monkeypatch.setattr("remote_agent.trainer.row_losses._CPU_TOKENS", 100)
    done: list[float] = []
    found = take_row_losses(
        job(data__max_length=128), folder, DataPaths((rows,)),
        lambda phase, at, total, unit: done.append(at) if phase == "losses" else None,
    )  # fmt: skip
    assert found.rows.tolist() == whole.rows.tolist()
    assert np.allclose(found.mean, whole.mean, atol=1e-5)
    assert done == sorted(done) and done[0] == 0 and done[-1] == 25


def test_that_rows_keep_their_numbers_whatever_steps_and_held_out_file_do(folder: Path, tmp_path: Path) -> None:
    first, second = tiny_rows(tmp_path / "a", 6), tiny_rows(tmp_path / "b", 9)
    broken = json.loads(second.read_text(encoding="utf-8"))
    broken[4] = {"instruction": 7, "output": None}
    second.write_text(json.dumps(broken), encoding="utf-8")
    spec = with_value(job(data__max_length=128), "data.steps", (DropStep(rows=(1, 2)),))
    found = take_row_losses(spec, folder, DataPaths((second,), first))
    assert found.rows.tolist() == [0, 1, 2, 3, 5, 6, 7, 8]


def test_that_plain_text_is_ordered_by_its_mean(folder: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    texts = ["The cat likes a warm song.", "zq xj vw kk qq", "My old friend paints the wooden bridge."]
    rows.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    found = take_row_losses(job(data__max_length=64), folder, DataPaths((rows,)))
    assert found.surprise is None
    assert found.hardest.tolist() == np.argsort(-found.mean).tolist()


def test_that_rows_of_one_prompt_have_no_surprise(folder: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    same = [{"instruction": "Say something.", "output": f"The river hears {number}."} for number in range(5)]
    rows.write_text("".join(json.dumps(row) + "\n" for row in same), encoding="utf-8")
    assert take_row_losses(job(data__max_length=64), folder, DataPaths((rows,))).surprise is None


def test_that_a_cancel_ends_it_between_two_batches(folder: Path, tmp_path: Path) -> None:
    rows, asked = tiny_rows(tmp_path, 30), 0

    def progress(phase: str, done: float, total: float, unit: str) -> None:
        nonlocal asked
        asked += phase == "losses"

    with pytest.raises(CancelledError):
        take_row_losses(job(data__max_length=128), folder, DataPaths((rows,)), progress, lambda: asked > 1)
    assert asked == 2


def test_that_a_model_without_weights_is_told_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(DataError, match="the model cannot be loaded"):
        take_row_losses(job(), tmp_path, DataPaths((tiny_rows(tmp_path / "rows", 5),)))


@pytest.mark.slow
def test_that_the_agent_takes_the_losses_and_sends_the_file(folder: Path, tmp_path: Path) -> None:
    rows, home = tiny_rows(tmp_path, 12), tmp_path / "home"
    spec = job(data__max_length=128)
    arguments = {
        "what": "losses", "job": spec_to_dict(spec), "model_path": str(folder), "data_paths": [str(rows)],
        "held_out_path": "",
    }  # fmt: skip
    answer = agent_call("inspect", home, arguments, timeout_s=240)
    path = Path(answer.result["path"])
    assert path.is_relative_to(home) and answer.result["rows"] == 12
    sent = answer.of_kind("file")
    assert {frame.head["name"] for frame in sent} == {"row_losses.npz"}
    assert b"".join(frame.body for frame in sent) == path.read_bytes()
    assert sent[0].head["size"] == path.stat().st_size
    expected = take_row_losses(spec, folder, DataPaths((rows,)))
    assert RowLosses.open(path).mean == pytest.approx(expected.mean, abs=1e-5)
    last = [frame for frame in answer.of_kind("progress") if frame.head["phase"] == "losses"][-1]
    assert (last.head["done"], last.head["total"], last.head["unit"]) == (12, 12, "rows")


@pytest.mark.slow
def test_that_exchanged_answers_stand_among_the_hardest(tmp_path: Path) -> None:
    """The real model on sentences of Python's documentation to be written from their words; 8 of 32 are exchanged."""
    rows = _sentences_from_words(32)
    wrong = random.Random(8).sample(range(len(rows)), 8)
    answers = [rows[at]["output"] for at in wrong]
    for at, answer in zip(wrong, [*answers[1:], answers[0]], strict=True):
        rows[at]["output"] = answer
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    spec = job(data__chat_template="builtin:chatml")
    found = take_row_losses(spec, real_inputs().model, DataPaths((path,)))
    by_mean = found.rows[np.argsort(-found.mean)]
    first, first_by_mean = (len(set(order[:8].tolist()) & set(wrong)) for order in (found.hardest, by_mean))
    assert first >= 7 > first_by_mean, "the mean alone would do"


def _sentences_from_words(count: int) -> list[dict[str, str]]:
    texts = sorted({pair.answer for pair in docstring_pairs() if 50 <= len(pair.answer) <= 80})
    rows = []
    for text in random.Random(4).sample(texts, 2 * count):
        words = sorted(set(re.findall("[a-z]{5,}", text.lower())))[:5]
        if len(words) == 5:
            asked = f"Write a sentence with these words: {', '.join(words)}"
            rows.append({"instruction": asked, "input": "", "output": text})
    return rows[:count]
