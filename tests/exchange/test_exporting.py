"""Jobs as other tools read them: the recipe comes back, keys are the tools' own, and the script runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml  # type: ignore[import-untyped, unused-ignore]
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, TrainingArguments, get_scheduler

from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.job_spec import JobSpec, value_at, with_value
from remote_agent.contract.schedule import lr_at
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.prepare import prepare
from remote_agent.dataset.prepared import open_prepared
from studio.exchange.exporting import TARGETS, exported
from studio.exchange.imported import ExchangeError, Given
from studio.exchange.importing import imported
from tests.support.tiny import tiny_model, tiny_rows

FIXTURES = Path(__file__).parent / "fixtures"


def _job(**changes: Any) -> JobSpec:
    spec: JobSpec = with_value(with_value(JobSpec(), "model.id", "/models/m"), "data.path", "/data/rows.json")
    spec = with_value(spec, "data.shape", "alpaca")
    for path, value in changes.items():
        spec = with_value(spec, path.replace("__", "."), value)
    return spec


_CARRIED = {
    "optimizer.learning_rate": st.floats(1e-7, 1e-2),
    "optimizer.beta1": st.floats(0.0, 0.99),
    "optimizer.beta2": st.floats(0.5, 0.9999),
    "optimizer.epsilon": st.floats(1e-10, 1e-3),
    "optimizer.weight_decay": st.floats(0.0, 1.0),
    "schedule.shape": st.sampled_from(("cosine", "constant", "polynomial")),
    "schedule.minimum_factor": st.floats(0.001, 1.0),
    "schedule.warmup.amount": st.integers(1, 50).map(float),
    "schedule.warmup.unit": st.sampled_from(("steps", "percent")),
    "regularization.clip_norm": st.floats(0.1, 10.0),
    "batch.micro_batch": st.integers(1, 64),
    "batch.accumulation": st.integers(1, 64),
    "batch.epochs": st.floats(0.5, 10.0),
    "batch.max_steps": st.integers(0, 10_000),
    "strategy.precision": st.sampled_from(("bf16", "fp16", "fp32")),
    "strategy.activation_checkpointing": st.booleans(),
    "strategy.attention": st.sampled_from(("sdpa", "eager", "flash_attention_2")),
    "data.max_length": st.integers(8, 4096),
    "data.packing": st.booleans(),
    "data.held_out_fraction": st.sampled_from((0.0, 0.05, 0.2)),
    "data.train_on": st.sampled_from(("assistant", "all")),
    "checkpointing.state_every_steps": st.integers(1, 1000),
    "seed": st.integers(0, 1000),
}


@pytest.mark.parametrize("target", ["llamafactory", "axolotl"])
@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries(_CARRIED))
def test_that_the_recipe_comes_back_from_an_export(target: str, values: dict[str, Any]) -> None:
    spec = JobSpec()
    for path, value in {"model.id": "/m", "data.path": "/d.json", "data.shape": "alpaca", **values}.items():
        spec = with_value(spec, path, value)
    files = dict(exported(spec, target).files)
    info = json.loads(files.get("dataset_info.json", "{}"))
    back = imported(files[f"{target}.yaml"], "x.yaml", Given(gpus=1, dataset_info=info)).spec
    told = [path for path in values if path != "data.max_length" or target == "axolotl"]
    if spec.schedule.shape == "constant":
        told.remove("schedule.minimum_factor")
    assert {path: value_at(back, path) for path in told} == pytest.approx({path: values[path] for path in told})
    # one token more where LLaMA-Factory packs, since it takes one off
    packs = target == "llamafactory" and spec.data.packing
    assert back.data.max_length == spec.data.max_length + int(packs)
    assert back.data.path == "/d.json"


@pytest.mark.parametrize("target", ["llamafactory", "axolotl"])
def test_that_an_export_has_only_keys_of_its_tool(target: str) -> None:
    known = set((FIXTURES / f"{target}_keys.txt").read_text(encoding="utf-8").split())
    for changes in ({}, _LOADED):
        tree = yaml.safe_load(exported(_job(**changes), target).files[f"{target}.yaml"])
        assert set(tree) <= known
        # PyYAML would read 2e-05 as a text
        assert isinstance(tree["learning_rate"], float)
        assert isinstance(tree["adam_epsilon"], float)


_LOADED = {
    "model__source": "hub", "model__revision": "0" * 40, "model__trust_remote_code": True,
    "data__held_out_path": "/data/held.json", "data__chat_template": "builtin:chatml",
    "data__system_prompt": "Be kind.",
    "data__added_tokens": ("<a>",), "data__max_rows": 9, "data__packing": False, "data__group_by_length": True,
    "schedule__shape": "wsd", "schedule__cooldown__unit": "steps", "batch__max_steps": 100,
    "regularization__neftune_alpha": 5.0, "regularization__patience": 2, "optimizer__embedding_factor": 0.5,
    "evaluation__every_steps": 10, "strategy__zero_stage": 3, "strategy__ranks": 8,
}  # fmt: skip


def test_that_what_cannot_be_said_is_listed_and_what_can_is_not() -> None:
    spec = _job(
        schedule__shape="rex", regularization__mixup_alpha=0.2, regularization__averaging="ema",
        optimizer__layer_decay=0.9, data__packing=False, evaluation__every_steps=5, optimizer__decay_embeddings=True,
        strategy__ranks=4,
    )  # fmt: skip
    for target in TARGETS:
        paths = {one.path for one in exported(spec, target).lost}
        assert {"regularization.mixup_alpha", "regularization.averaging", "optimizer.layer_decay"} <= paths
        assert ("schedule.shape" in paths) == (target != "axolotl")
        assert not paths & {"optimizer.kind", "optimizer.learning_rate", "batch.micro_batch", "data.packing",
                            "strategy.ranks", "optimizer.decay_embeddings", "evaluation.every_steps"}  # fmt: skip


def test_that_the_deepspeed_configuration_goes_along() -> None:
    spec = _job(strategy__zero_stage=2, strategy__ranks=8)
    for target in TARGETS:
        files = exported(spec, target).files
        assert json.loads(files["ds_config.json"]) == deepspeed_config(spec)


def test_that_a_job_without_model_or_data_is_not_exported() -> None:
    with pytest.raises(ExchangeError, match=r"model\.id"):
        exported(JobSpec(), "axolotl")
    with pytest.raises(ExchangeError, match="no format"):
        exported(_job(), "elsewhere")


@pytest.mark.parametrize("shape", ["linear", "cosine", "constant", "polynomial", "inverse_sqrt", "cosine_restarts"])
@pytest.mark.parametrize("minimum", [0.0, 0.25])
def test_that_the_exported_schedule_is_the_jobs(shape: str, minimum: float, tmp_path: Path) -> None:
    spec = _job(
        schedule__shape=shape, schedule__minimum_factor=minimum, batch__max_steps=50, schedule__warmup__unit="steps",
        schedule__warmup__amount=5.0, strategy__precision="fp32",
    )  # fmt: skip
    made = exported(spec, "llamafactory")
    if any(one.path.startswith("schedule") for one in made.lost):
        assert minimum > 0
        return
    tree = yaml.safe_load(made.files["llamafactory.yaml"])
    keys = ("learning_rate", "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps")
    arguments = TrainingArguments(
        output_dir=str(tmp_path), use_cpu=True, **{key: tree[key] for key in keys if key in tree}
    )
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=arguments.learning_rate)
    scheduler = get_scheduler(
        arguments.lr_scheduler_type, optimizer, arguments.get_warmup_steps(50), 50,
        scheduler_specific_kwargs=dict(arguments.lr_scheduler_kwargs or {}),
    )  # fmt: skip
    for step in range(50):
        assert scheduler.get_last_lr()[0] == pytest.approx(lr_at(spec, step, 50), rel=1e-9, abs=1e-18), step
        optimizer.step()
        scheduler.step()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the model, once: saving it leaves a thread of tqdm's behind."""
    return tiny_model(tmp_path_factory.mktemp("model"))


def test_that_the_exported_script_runs_and_learns_what_luthier_would(model: Path, tmp_path: Path) -> None:
    rows = tiny_rows(tmp_path, rows=8)
    spec = _job(
        model__id=str(model), data__path=str(rows), data__packing=False, data__max_length=128,
        data__held_out_fraction=0.0, batch__micro_batch=4, batch__accumulation=2, batch__max_steps=4,
        strategy__precision="fp32", strategy__activation_checkpointing=False, schedule__warmup__unit="steps",
        schedule__warmup__amount=1.0, optimizer__learning_rate=1e-2,
    )  # fmt: skip
    for name, text in exported(spec, "transformers").files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run(
        [sys.executable, "train.py", "--output", "out"], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    history = json.loads((tmp_path / "out" / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    steps = [entry for entry in history if "loss" in entry]
    assert [entry["step"] for entry in steps] == [1, 2, 3, 4]
    assert [entry["learning_rate"] for entry in steps] == pytest.approx([lr_at(spec, step, 4) for step in range(4)])
    # all eight rows are in the first update, so that its loss does not depend on their order
    assert steps[0]["loss"] == pytest.approx(_loss(spec, model, rows, tmp_path), rel=1e-5)
    assert steps[-1]["loss"] < steps[0]["loss"]
    AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "final")


def _loss(spec: JobSpec, model: Path, rows: Path, root: Path) -> float:
    """Return the mean over the answers' tokens that the base model has on Luthier's own encoding of the rows."""
    _, folder = prepare(spec, model, DataPaths((rows,)), root / "prepared")
    data = open_prepared(folder).train
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    total = count = 0.0
    for index in range(len(data)):
        row = data.sequence(index)
        ids, labels = torch.tensor(row.ids)[None].long(), torch.tensor(row.labels).long()
        with torch.no_grad():
            logits = network(input_ids=ids).logits[0, :-1]
        total += torch.nn.functional.cross_entropy(logits, labels[1:], ignore_index=-100, reduction="sum").item()
        count += int((labels[1:] != -100).sum())
    return total / count
