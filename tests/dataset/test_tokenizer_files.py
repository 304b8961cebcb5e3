"""Special tokens, template and ids are read from a folder as transformers reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, processors

from remote_agent.contract.chat_templates import BUILT_IN
from remote_agent.dataset.data_error import DataError, NotThereError
from remote_agent.dataset.tokenizer_files import load_tokenizer, special_tokens, template_text
from tests.support.tiny import CHATML_TEMPLATE, tiny_tokenizer_files


def write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_tokenizer_files(tmp_path / "model")


def test_that_a_folder_gives_tokenizer_tokens_and_template(folder: Path) -> None:
    model = load_tokenizer(folder)
    assert (model.eos_token_id, model.pad_token_id, model.starts_with_bos) == (2, 2, False)
    assert model.special_ids == {0, 1, 2}
    assert model.template is not None and model.template_text == CHATML_TEMPLATE
    assert load_tokenizer(folder, "{{ 1 }}").template_text == "{{ 1 }}"
    assert load_tokenizer(folder, "{{ 1 }}").hash == model.hash


def test_that_added_tokens_come_after_the_vocabulary_as_special_ones(folder: Path) -> None:
    before = load_tokenizer(folder)
    size = before.tokenizer.get_vocab_size()
    after = load_tokenizer(folder, added_tokens=("<think>", "<|im_end|>", "</think>"))
    assert [after.tokenizer.token_to_id(text) for text in ("<think>", "</think>", "<|im_end|>")] == [size, size + 1, 2]
    assert after.special_ids == {0, 1, 2, size, size + 1}
    assert "<think>" in after.special_texts
    assert after.tokenizer.encode("a <think>b", add_special_tokens=False).ids.count(size) == 1
    assert len(before.tokenizer.encode("<think>", add_special_tokens=False).ids) > 1
    others = load_tokenizer(folder, added_tokens=("<think>",))
    assert len({before.hash, after.hash, others.hash}) == 3
    assert load_tokenizer(folder, added_tokens=()).hash == before.hash


def test_that_a_token_of_the_vocabulary_that_is_added_becomes_a_special_one_with_its_own_id(folder: Path) -> None:
    before = load_tokenizer(folder)
    number = before.tokenizer.token_to_id("The")
    after = load_tokenizer(folder, added_tokens=("The",))
    assert number is not None and after.tokenizer.token_to_id("The") == number
    assert number in after.special_ids
    assert after.tokenizer.get_vocab_size() == before.tokenizer.get_vocab_size()


def test_that_a_built_in_template_is_taken_by_its_name(folder: Path) -> None:
    assert load_tokenizer(folder, "builtin:llama3").template_text == BUILT_IN["llama3"]
    with pytest.raises(DataError, match="no built-in chat template named 'llama9'"):
        load_tokenizer(folder, "builtin:llama9")


@pytest.mark.parametrize("decoder", [True, False])
def test_that_special_tokens_merge_as_in_transformers(folder: Path, decoder: bool) -> None:
    start = {"__type": "AddedToken", "content": "<|im_start|>", "special": True}
    config: dict[str, Any] = {"bos_token": start, "eos_token": "<|endoftext|>",
                              "pad_token": None, "tokenizer_class": "PreTrainedTokenizerFast"}  # fmt: skip
    if decoder:
        config["added_tokens_decoder"] = {"2": {"content": "<|im_end|>", "special": True}}
    write(folder / "tokenizer_config.json", config)
    write(folder / "special_tokens_map.json", {"eos_token": {"content": "<|im_end|>"}})
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(folder).special_tokens_map
    assert special_tokens(folder) == {name: token for name, token in theirs.items() if isinstance(token, str)}


def test_that_truncation_and_padding_of_the_file_are_not_taken_over(folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=50)
    tokenizer.save(str(folder / "tokenizer.json"))
    assert 3 < len(load_tokenizer(folder).tokenizer.encode("The cat likes a warm song.").ids) < 50


def test_that_a_tokenizer_that_starts_texts_itself_is_known(folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", 1)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    assert load_tokenizer(folder).starts_with_bos


def test_that_what_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "chat_template.jinja").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"chat_template\.jinja is not UTF-8"):
        template_text(folder)
    (folder / "chat_template.jinja").unlink()
    (folder / "tokenizer_config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match=r"tokenizer_config\.json holds no JSON object"):
        load_tokenizer(folder)
    (folder / "tokenizer.json").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"tokenizer\.json cannot be read"):
        load_tokenizer(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(NotThereError, match=r"no tokenizer\.json"):
        load_tokenizer(folder)
