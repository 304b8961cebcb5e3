"""Configurations of other tools as jobs: what is taken over, what is changed, what is named."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import get_scheduler

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.problem import Fix
from remote_agent.contract.schedule import lr_at
from studio.exchange.imported import ExchangeError, Given, Imported
from studio.exchange.importing import CLAIM_KEYS, GPU_KEYS, ROW_KEYS, imported
from studio.exchange.tool_files import tool_file
from tests.support.mended import mended

FIXTURES = Path(__file__).parent / "fixtures"


def _fixture(name: str, given: Given | None = None) -> Imported:
    return imported((FIXTURES / name).read_text(encoding="utf-8"), name, given)


def _values(spec: JobSpec, paths: Mapping[str, Any]) -> dict[str, Any]:
    return {path: value_at(spec, path) for path in paths}


def test_that_training_arguments_of_a_tutorial_import_with_exactly_these_findings() -> None:
    found = _fixture("tutorial_training_arguments.json")
    sentences = [problem.sentence for problem in found.findings]
    assert found.origin == "transformers"
    assert len(sentences) == 6
    assert sentences[0] == "The global batch is 2,048: 4 x 16 on 32 GPUs; 8 GPUs would give 512."
    assert sentences[1].startswith("The warmup of 1,000 steps exceeds the 69 steps of the run")
    assert sentences[2].startswith("No checkpoint would be written: saving every 1,000 steps never comes")
    assert sentences[3].startswith("The prompt would be in the labels")
    assert sentences[4].startswith("There is no held-out part")
    assert sentences[5].startswith("device_map 'auto' is dropped")
    assert "device_map" in [entry.their_key for entry in found.dropped]


def test_that_the_fixes_of_the_findings_leave_none_of_them() -> None:
    text = (FIXTURES / "tutorial_training_arguments.json").read_text(encoding="utf-8")
    spec = imported(text, "a.json").spec
    for problem in imported(text, "a.json").findings:
        if problem.fix is not None:
            spec = mended(spec, problem.fix)
    assert spec.batch.micro_batch * spec.batch.accumulation * spec.strategy.ranks == 512
    assert spec.schedule.warmup.unit == "percent"
    assert spec.data.train_on == "assistant"
    assert spec.data.held_out_fraction == 0.1
    assert 0 < spec.checkpointing.state_every_steps < 69


def test_that_what_the_file_does_not_say_can_be_given_with_it() -> None:
    tree = json.loads((FIXTURES / "tutorial_training_arguments.json").read_text(encoding="utf-8"))
    without = {key: value for key, value in tree.items() if key not in ("num_gpus", "dataset_rows")}
    alone = imported(json.dumps(without), "a.json")
    assert any("does not say on how many GPUs" in problem.sentence for problem in alone.findings)
    assert not any("69" in problem.sentence for problem in alone.findings)
    given = imported(json.dumps(without), "a.json", Given(gpus=32, rows=46_584))
    assert given.findings == imported(json.dumps(tree), "a.json").findings


_EXPECTED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "llamafactory_full.yaml": ("LLaMA-Factory", {
        "model.source": "hub", "model.id": "meta-llama/Meta-Llama-3-8B-Instruct", "model.trust_remote_code": True,
        "optimizer.learning_rate": 1e-5, "optimizer.beta2": 0.999, "optimizer.weight_decay": 0.0,
        "schedule.shape": "cosine", "schedule.minimum_factor": 0.1, "schedule.warmup.amount": 10.0,
        "schedule.warmup.unit": "percent", "data.max_length": 4096, "data.packing": True, "data.max_rows": 1000,
        "data.held_out_fraction": 0.05, "batch.accumulation": 2, "strategy.zero_stage": 3,
        "strategy.offload_optimizer": True, "strategy.offload_parameters": True, "strategy.precision": "bf16",
        "strategy.activation_checkpointing": True, "strategy.attention": "flash_attention_2",
        "strategy.loss_kernel": "liger", "checkpointing.weights_every_steps": 500,
        "checkpointing.state_every_steps": 0, "evaluation.every_steps": 500,
    }),
    "axolotl_full.yaml": ("Axolotl", {
        "model.id": "meta-llama/Meta-Llama-3-8B", "data.path": "data/chats.jsonl", "data.source": "desktop",
        "data.shape": "sharegpt", "data.columns.messages": "conversations", "data.max_length": 8192,
        "data.packing": True, "optimizer.kind": "adamw_8bit", "optimizer.learning_rate": 2e-5,
        "optimizer.weight_decay": 0.0, "schedule.minimum_factor": 0.1, "schedule.warmup.amount": 100.0,
        "schedule.warmup.unit": "steps", "batch.micro_batch": 1, "batch.accumulation": 8, "batch.epochs": 2.0,
        "strategy.zero_stage": 3, "strategy.offload_optimizer": True, "strategy.precision": "bf16",
        "strategy.attention": "flash_attention_2", "regularization.patience": 3,
    }),
    "swift_full.yaml": ("ms-swift", {
        "model.id": "Qwen/Qwen3-4B", "data.path": "AI-ModelScope/alpaca-gpt4-data-en", "data.max_rows": 500,
        "data.over_length": "drop", "data.packing": False, "data.system_prompt": "You are a helpful assistant.",
        "optimizer.learning_rate": 1e-5, "optimizer.beta2": 0.95, "optimizer.weight_decay": 0.1,
        "schedule.shape": "cosine", "schedule.warmup.amount": 5.0, "strategy.precision": "bf16",
        "strategy.zero_stage": 3, "checkpointing.state_every_steps": 100, "data.held_out_fraction": 0.01,
    }),
    "trl_sft_config.json": ("TRL", {
        "strategy.ranks": 8, "data.max_length": 2048, "data.packing": True, "data.train_on": "assistant",
        "schedule.shape": "wsd", "schedule.cooldown.amount": 100.0, "schedule.cooldown.unit": "steps",
        "schedule.cooldown.shape": "one_minus_sqrt", "schedule.warmup.amount": 3.0, "batch.max_steps": 1000,
        "strategy.precision": "bf16", "strategy.activation_checkpointing": True, "strategy.loss_kernel": "liger",
        "regularization.neftune_alpha": 5.0, "evaluation.every_steps": 100,
    }),
    "deepspeed_zero3.json": ("DeepSpeed", {
        "strategy.ranks": 8, "strategy.zero_stage": 3, "strategy.offload_optimizer": True,
        "strategy.offload_parameters": False, "batch.micro_batch": 2, "batch.accumulation": 4,
        "optimizer.learning_rate": 2e-5, "optimizer.beta2": 0.95, "schedule.shape": "linear",
        "schedule.warmup.amount": 100.0, "batch.max_steps": 1000, "regularization.clip_norm": 1.0,
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", _EXPECTED)
def test_that_a_file_becomes_the_job_that_it_describes(name: str) -> None:
    origin, values = _EXPECTED[name]
    found = _fixture(name)
    assert found.origin == origin
    assert _values(found.spec, values) == values


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.[jy]*")), ids=lambda path: path.name)
def test_that_every_key_of_a_file_is_accounted_for(path: Path) -> None:
    found = _fixture(path.name)
    entries = (*found.mapped, *found.converted, *found.dropped)
    told = {entry.their_key.partition("[")[0].partition(".")[0] for entry in entries}
    quiet = {"load_in_8bit", "tf32", "fp16", "strict", "group_by_length", "load_in_4bit", *GPU_KEYS, *ROW_KEYS,
             *CLAIM_KEYS, "do_train", "wall_clock_breakdown", "packing", "train_on_inputs", "pad_to_sequence_len",
             "finetuning_type", "train_type", "save_strategy", "packing_strategy", "eval_strategy"}  # fmt: skip
    for key, value in tool_file(path.read_text(encoding="utf-8"), path.name).items():
        assert key in told or key in quiet or value is None, key
    assert all(entry.sentence for entry in entries)


@pytest.mark.parametrize(
    ("name", "way", "keys"),
    [
        ("llamafactory_lora.yaml", "finetuning_type is lora", ("lora_rank", "lora_target", "quantization_bit")),
        ("axolotl_qlora.yaml", "adapter is qlora", ("load_in_4bit", "lora_r", "lora_alpha", "lora_target_linear")),
        ("swift_lora_args.json", "train_type is lora", ("lora_rank", "lora_alpha", "target_modules")),
    ],
)
def test_that_keys_of_adapters_are_named_as_contradicting(name: str, way: str, keys: tuple[str, ...]) -> None:
    found = _fixture(name)
    sentence = next(problem.sentence for problem in found.findings if way in problem.sentence)
    dropped = {entry.their_key for entry in found.dropped}
    for key in keys:
        assert key in sentence
        assert key in dropped


def test_that_adapter_keys_beside_full_training_contradict_it() -> None:
    found = imported("finetuning_type: full\nstage: sft\nlora_rank: 8\n", "a.yaml")
    assert any(
        problem.sentence.startswith("lora_rank contradicts full-parameter training") for problem in found.findings
    )


def test_that_numbers_are_read_as_the_tools_read_them() -> None:
    text = "base_model: a/b\nsequence_len: 0512\nlearning_rate: 2e-5\nsample_packing: yes\nmicro_batch_size: 1_0\n"
    spec = imported(text, "a.yaml").spec
    assert spec.optimizer.learning_rate == 2e-5
    assert spec.data.packing
    assert spec.data.max_length == 0o512
    assert spec.batch.micro_batch == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "line 1"),
        ("- 1\n", "group of keys"),
        ("colour: red\n", "no key of it"),
        ("base_model: a\nsequence_len: 1\nstage: sft\ntemplate: x\n", "--from"),
        ("schema_version: 1\noptimizer: {}\n", "Luthier job already"),
        ("base_model: a/b\nsequence_len: 1\nlearning_rate: fast\n", "learning_rate: expected a number, found 'fast'"),
        ("base_model: a/b\nsequence_len: 1.5\n", "sequence_len: expected a whole number"),
    ],
)
def test_that_what_cannot_be_imported_is_told_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ExchangeError, match=r"^a\.yaml:") as error:
        imported(text, "a.yaml")
    assert words in str(error.value)


def test_that_a_name_decides_where_the_keys_do_not() -> None:
    text = "base_model: a\nsequence_len: 64\nstage: sft\ntemplate: x\n"
    assert imported(text, "a.yaml", tool="Axolotl").spec.data.max_length == 64


@pytest.mark.parametrize(
    ("name", "options", "warmup"),
    [
        ("linear", {}, 10), ("cosine", {}, 0), ("cosine", {}, 0.1), ("constant", {}, 10),
        ("constant_with_warmup", {}, 10), ("cosine_with_min_lr", {"min_lr_rate": 0.1}, 10),
        ("cosine_with_min_lr", {"min_lr": 1e-6}, 10), ("cosine_with_restarts", {"num_cycles": 3}, 10),
        ("polynomial", {}, 10), ("polynomial", {"lr_end": 1e-6, "power": 2.0}, 10), ("inverse_sqrt", {}, 10),
        ("inverse_sqrt", {"timescale": 50}, 10),
        ("warmup_stable_decay", {"num_decay_steps": 20, "decay_type": "linear"}, 10),
        ("warmup_stable_decay", {"num_decay_steps": 20, "min_lr_ratio": 0.1}, 10),
    ],
)  # fmt: skip
def test_that_the_learning_rate_is_the_one_transformers_would_use(
    name: str, options: dict[str, Any], warmup: float
) -> None:
    total, peak = 100, 2e-5
    text = json.dumps({
        "learning_rate": peak, "lr_scheduler_type": name, "lr_scheduler_kwargs": options, "warmup_steps": warmup,
        "max_steps": total,
    })  # fmt: skip
    spec = imported(text, "a.json").spec
    steps = warmup if warmup >= 1 or not warmup else warmup * total
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    scheduler = get_scheduler(name, optimizer, int(steps), total, scheduler_specific_kwargs=dict(options))
    for step in range(total):
        assert lr_at(spec, step, total) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9, abs=1e-18), step
        optimizer.step()
        scheduler.step()


def test_that_a_dump_of_all_training_arguments_drops_little() -> None:
    from transformers import TrainingArguments

    dump = TrainingArguments(output_dir="o", use_cpu=True, learning_rate=3e-5, weight_decay=0.1).to_json_string()
    found = imported(dump, "training_args.json")
    assert found.spec.optimizer.learning_rate == 3e-5
    assert found.spec.strategy.precision == "fp32"
    assert {entry.their_key for entry in found.dropped} <= {"output_dir", "use_cpu"}


def test_that_llama_factory_names_are_looked_up_where_dataset_info_is_given() -> None:
    text = "model_name_or_path: /m\nstage: sft\nfinetuning_type: full\ndataset: own,hub\n"
    info = {
        "own": {"file_name": "own.json", "columns": {"prompt": "q", "response": "a", "query": "x"}},
        "hub": {"hf_hub_url": "org/chats", "formatting": "sharegpt", "columns": {"messages": "turns"}},
    }
    spec = imported(text, "a.yaml", Given(dataset_info=info)).spec
    assert (spec.data.path, spec.data.shape, spec.data.columns.prompt) == ("data/own.json", "alpaca", "q")
    assert (spec.data.more[0].source, spec.data.more[0].path) == ("hub", "org/chats")
    assert spec.data.more[0].columns.messages == "turns"


def test_that_a_fix_is_a_change_of_fields_that_exist() -> None:
    for path in sorted(FIXTURES.glob("*.[jy]*")):
        for problem in _fixture(path.name).findings:
            value_at(JobSpec(), problem.field)
            assert problem.fix is None or isinstance(problem.fix, Fix)


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.[jy]*")), ids=lambda path: path.name)
def test_that_a_value_of_any_form_is_taken_or_told_in_a_sentence(path: Path) -> None:
    tree = tool_file(path.read_text(encoding="utf-8"), path.name)
    odd = (True, "x", 0, -1, math.inf, [1], {"a": 1}, "{", [{"path": 1}], "auto",
           {"type": 3, "params": [1], "stage": "x"})  # fmt: skip
    for key in tree:
        for value in odd:
            with contextlib.suppress(ExchangeError):
                imported(json.dumps({**tree, key: value}), path.name)
