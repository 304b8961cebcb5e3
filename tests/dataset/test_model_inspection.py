"""A model folder is told from its small files; what stands against a run is a sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from remote_agent.contract.model_facts import model_facts, model_tensors
from remote_agent.dataset.data_error import CancelledError, DataError, NotThereError
from remote_agent.dataset.model_inspection import inspect_model, safetensors_parameters
from tests.support.tiny import CHATML_TEMPLATE, tiny_tokenizer_files

CONFIG = {
    "model_type": "llama",
    "vocab_size": 400,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_tokenizer_files(tmp_path_factory.mktemp("whole"))
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor in model_tensors(CONFIG):
        start, end = end, end + 4 * tensor.elements
        header[tensor.name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [start, end]}
    raw = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(raw).to_bytes(8, "little") + raw + bytes(end))
    return folder


@pytest.fixture
def model(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "model"))


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def test_that_a_whole_model_has_its_figures_and_no_problem(model: Path) -> None:
    report = inspect_model(model)
    assert report.problems == ()
    assert report.parameters == model_facts(report.config).parameters
    assert report.chat_template == CHATML_TEMPLATE
    assert report.has_tokenizer and len(report.tokenizer_hash) == 64
    assert {file.name for file in report.files} >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert all(not file.sha256 for file in report.files)


def test_that_the_fingerprint_is_of_the_content_where_hashes_are_asked_for(model: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(model, tmp_path / "copy"))
    told: list[str] = []
    first = inspect_model(model, hashes=True, progress=lambda *what: told.append(what[3]))
    assert first.fingerprint == inspect_model(copy, hashes=True).fingerprint
    assert set(told) == {"bytes"}
    raw = bytearray((copy / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (copy / "model.safetensors").write_bytes(raw)
    assert first.fingerprint != inspect_model(copy, hashes=True).fingerprint
    assert inspect_model(model).fingerprint == inspect_model(copy).fingerprint
    with pytest.raises(CancelledError):
        inspect_model(model, hashes=True, cancelled=lambda: True)


def test_that_a_template_file_goes_before_the_one_in_the_config(model: Path) -> None:
    (model / "chat_template.jinja").write_text("{{ 'own file' }}", encoding="utf-8")
    assert inspect_model(model).chat_template == "{{ 'own file' }}"
    (model / "chat_template.jinja").unlink()
    named = [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]
    edit(model / "tokenizer_config.json", chat_template=named)
    assert inspect_model(model).chat_template == "d"


def test_that_each_thing_that_stands_against_a_run_is_said(model: Path) -> None:
    def problem(change: str) -> str:
        found = inspect_model(model).problems
        assert len(found) == 1, (change, found)
        return found[0]

    config = (model / "config.json").read_bytes()
    edit(model / "config.json", auto_map={"AutoModel": "modeling.Own"}, model_type="own")
    assert "Python code that comes with it" in problem("auto_map")
    assert inspect_model(model, trust_remote_code=True).problems == ()
    edit(model / "config.json", auto_map={"AutoModel": "modeling.Own"}, model_type="llama")
    assert inspect_model(model).problems == ()
    edit(model / "config.json", quantization_config={"quant_method": "gptq"}, auto_map={})
    assert "quantized (gptq)" in problem("quantized")
    (model / "config.json").write_text("{", encoding="utf-8")
    assert "config.json is not valid JSON" in problem("broken config")
    (model / "config.json").unlink()
    assert "no config.json" in problem("no config")
    (model / "config.json").write_bytes(config)
    edit(model / "config.json", vocab_size=300)
    assert "400 tokens but the model embeds 300" in problem("vocabulary")
    (model / "config.json").write_bytes(config)
    edit(model / "tokenizer_config.json", chat_template="{% if %}")
    assert "chat template has an error at line 1" in problem("template")
    (model / "tokenizer.json").write_text("{}", encoding="utf-8")
    assert "tokenizer.json cannot be read" in problem("broken tokenizer")
    (model / "tokenizer.json").unlink()
    (model / "tokenizer.model").write_bytes(b"")
    assert "no tokenizer.json (there is tokenizer.model only)" in problem("slow tokenizer")


def test_that_weights_that_cannot_be_used_are_said(model: Path) -> None:
    weights = model / "model.safetensors"
    raw = weights.read_bytes()
    for kept, words in ((len(raw) - 10, "was cut off"), (20, "no whole safetensors"), (0, "no whole safetensors")):
        weights.write_bytes(raw[:kept])
        assert words in inspect_model(model).problems[0]
    weights.write_bytes((50).to_bytes(8, "little") + b"[" * 60)
    assert "no safetensors header" in inspect_model(model).problems[0]
    weights.unlink()
    assert "no weights in it" in inspect_model(model).problems[0]
    (model / "model.gguf").write_bytes(b"GGUF")
    assert "GGUF only" in inspect_model(model).problems[0]
    (model / "pytorch_model.bin").write_bytes(b"")
    assert "pickle files" in inspect_model(model).problems[0]


def test_that_a_sharded_model_counts_all_its_shards_and_names_a_missing_one(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    shutil.copy(model / "model-00001-of-00002.safetensors", model / "model-00002-of-00002.safetensors")
    weight_map = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}), encoding="utf-8")
    assert inspect_model(model).parameters == 2 * safetensors_parameters(model / "model-00001-of-00002.safetensors")
    (model / "model-00002-of-00002.safetensors").unlink()
    assert inspect_model(model).problems == (
        "model: 1 of 2 weight files are missing, model-00002-of-00002.safetensors first. "
        "Copy or download the model again.",
    )


def test_that_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="no such folder"):
        inspect_model(tmp_path / "absent")
    with pytest.raises(DataError):
        safetensors_parameters(tiny_tokenizer_files(tmp_path) / "tokenizer.json")
