"""A seq2seq model rewrites texts the same way every time, with and without language codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.dataset.data_error import DataError, NotThereError
from remote_agent.trainer.seq2seq import Seq2SeqModel, model_hash
from tests.support.tiny import tiny_seq2seq, tiny_tokenizer_files

TEXTS = ["The cat likes a warm song.", "My old friend paints."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_seq2seq(tmp_path_factory.mktemp("t5"))


def test_that_texts_come_back_rewritten_the_same_every_time(folder: Path) -> None:
    made = Seq2SeqModel(folder).write(TEXTS, "paraphrase: ", "", "", 12)
    assert len(made) == 2 and made == Seq2SeqModel(folder).write(TEXTS, "paraphrase: ", "", "", 12)
    one_by_one = [Seq2SeqModel(folder).write([text], "paraphrase: ", "", "", 12)[0] for text in TEXTS]
    assert made == one_by_one, "padding in a batch changes nothing"


def test_that_the_language_written_in_is_forced_by_its_code(folder: Path) -> None:
    model = Seq2SeqModel(folder)
    assert model.write(TEXTS, "", "<|im_start|>", "<|im_end|>", 12) != model.write(TEXTS, "", "", "", 12)
    with pytest.raises(DataError, match="knows no language 'klingon'"):
        model.write(TEXTS, "", "", "klingon", 12)


def test_that_a_folder_without_such_a_model_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="no model"):
        Seq2SeqModel(tmp_path)
    tiny_tokenizer_files(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(DataError, match="not a seq2seq model"):
        Seq2SeqModel(tmp_path)


def test_that_the_hash_tells_models_apart(folder: Path, tmp_path: Path) -> None:
    assert model_hash(folder) == model_hash(folder) != model_hash(tiny_seq2seq(tmp_path / "other", seed=6))
