"""Many runs in one launch of two ranks and one of a single rank, made once for the tests that look at them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remote_agent.contract.amendments import SKIP_STEPS
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.events import Amended, StepCompleted
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.range_test import RangeTest, range_test_job
from remote_agent.dataset.prepared import TRAIN, WEIGHTS, Prepared, array_file, open_prepared
from remote_agent.run_files.journal import JournalWriter
from tests.support.tiny import tiny_model, tiny_rows
from tests.trainer.run_folder import events_of, job, launch_script, make_run

SCRIPT = Path(__file__).with_name("many_runs.py")
STAGES = (0, 1, 2, 3)
ADDED_TOKENS = ("<|tool|>", "<|im_end|>", "day")
"""One the tiny tokenizer has, one that is a plain word in it, and one it does not know."""


@dataclass
class Launches:
    """The finished runs by name."""

    root: Path

    def events(self, name: str, kind: type) -> list[Any]:
        return [event for event in events_of(self.root / name) if isinstance(event, kind)]

    def losses(self, name: str, attempt: int = 1) -> dict[int, float]:
        return {e.step: e.loss for e in self.events(name, StepCompleted) if e.attempt == attempt}

    def data(self, name: str) -> Prepared:
        launch = json.loads((self.root / name / "launch.json").read_text(encoding="utf-8"))
        return open_prepared(Path(launch["data_folder"]))


@dataclass
class _Maker:
    """Makes run directories under one root, all of one model and one file of rows."""

    root: Path
    model: Path
    rows: Path

    def run(
        self, name: str, spec: JobSpec, model: Path | None = None, further: tuple[Path, ...] = (), **more: Any
    ) -> dict[str, Any]:
        make_run(self.root, name, spec, model or self.model, self.rows, further=further)
        return {"run_dir": str(self.root / name), "attempt": 1, "resume": "", "copy_from": "", **more}

    def resumed(self, name: str, of: str, step: int, spec: JobSpec, **more: Any) -> dict[str, Any]:
        copy_from = str(self.root / of / "checkpoints" / f"step-{step}")
        return self.run(name, spec, resume=f"step-{step}", copy_from=copy_from, **more)


def do_launches(root: Path) -> Launches:
    """Do all runs, each one second or so, in two launches."""
    maker = _Maker(root, tiny_model(root / "model"), tiny_rows(root / "rows", 60))
    one = job(batch__micro_batch=8, data__packing=False, batch__max_steps=5)
    two = with_value(with_value(one, "strategy.ranks", 2), "batch.micro_batch", 4)
    _launch(1, root / "one.json", [*_alone(maker, one), *_saved_alone(maker, one)])
    together = [
        maker.run("two-packed-1", job(strategy__ranks=2, batch__max_steps=1)),
        maker.run("two-padded-4", job(strategy__ranks=2, evaluation__micro_batch=4, batch__max_steps=1,
                                      data__packing=False)),
        maker.run("epoch", job(strategy__ranks=2, batch__micro_batch=3, batch__accumulation=2, batch__max_steps=0,
                               batch__epochs=1.0, data__max_length=128, loading__workers=1)),
    ]  # fmt: skip
    for stage in STAGES:
        together += _of_stage(maker, two, stage)
    together += [*_stopped(maker, two), *_changed(maker, two)]
    full = job(
        strategy__ranks=2, batch__max_steps=3, checkpointing__weights_every_steps=2, checkpointing__save_at_end=False
    )
    together += [*_weighted(maker, two), *_row_losses(maker), *_with_added_tokens(maker), _replayed(maker)]
    together.append(maker.run("grouped", _grouped(job(strategy__ranks=2, batch__micro_batch=3))))
    longest = job(strategy__ranks=2, batch__micro_batch=3, batch__max_steps=5, batch__longest_only=True)
    together.append(maker.run("longest", with_value(longest, "data.packing", False)))
    together += [_counted(maker, two, stage) for stage in STAGES]
    together += _on_two_ranks(maker, one)
    # last, since the launch believes the disk full from then on
    together.append(maker.run("full-disk", full, free_bytes=1000))
    _launch(2, root / "two.json", together)
    _launch(1, root / "one-again.json", _on_one_rank(maker, two))
    return Launches(root)


def _alone(maker: _Maker, one: JobSpec) -> list[dict[str, Any]]:
    accumulated = with_value(with_value(one, "batch.micro_batch", 1), "batch.accumulation", 8)
    runs = [
        maker.run("one-8", one),
        maker.run("one-accumulated", accumulated),
        maker.run("one-packed-4", job(evaluation__micro_batch=4, batch__max_steps=1)),
        maker.run("one-padded-4", job(evaluation__micro_batch=4, batch__max_steps=1, data__packing=False)),
        maker.run("range-test", _range_test(one)),
        maker.run("weighted-one-8", one),
        maker.run("weighted-one-accumulated", accumulated),
        maker.run("grouped-one-8", _grouped(one)),
    ]
    for name in ("weighted-one-8", "weighted-one-accumulated"):
        _give_weights(maker.root / name)
    return runs


def _range_test(one: JobSpec) -> JobSpec:
    spec: JobSpec = with_value(range_test_job(one, RangeTest(1e-4, 1.0, 60)), "schedule.divergence_factor", 1.1)
    return spec


ONE_TO_TWO, TWO_TO_ONE = ((1, 2), (2, 3)), ((3, 1), (3, 3))
"""The ZeRO stages before and after, where a run goes on with another number of ranks."""


def _saved_alone(maker: _Maker, one: JobSpec) -> list[dict[str, Any]]:
    """Runs of a single rank that keep their state after two updates, for two ranks to go on from."""
    return [maker.run(f"alone-{stage}", _saving(one, stage)) for stage, _ in ONE_TO_TWO]


def _on_two_ranks(maker: _Maker, one: JobSpec) -> list[dict[str, Any]]:
    return [
        maker.resumed(f"one-to-two-{old}-{new}", f"alone-{old}", 2, _saving(one, old), shape=(2, new))
        for old, new in ONE_TO_TWO
    ]


def _on_one_rank(maker: _Maker, two: JobSpec) -> list[dict[str, Any]]:
    return [
        maker.resumed(f"two-to-one-{old}-{new}", f"stage-{old}", 2, _saving(two, old), shape=(1, new))
        for old, new in TWO_TO_ONE
    ]


def _saving(spec: JobSpec, stage: int) -> JobSpec:
    for path, value in (
        ("strategy.zero_stage", stage), ("checkpointing.state_every_steps", 2), ("checkpointing.keep_last", 3),
    ):  # fmt: skip
        spec = with_value(spec, path, value)
    return spec


def _of_stage(maker: _Maker, two: JobSpec, stage: int) -> list[dict[str, Any]]:
    spec = with_value(two, "strategy.zero_stage", stage)
    saving = spec
    for path, value in (
        ("checkpointing.state_every_steps", 2),
        ("checkpointing.keep_last", 3),
        ("evaluation.sample_prompts", ("What does the river do?",)),
        ("evaluation.sample_tokens", 6),
        ("strategy.activation_checkpointing", stage == 3),
    ):
        saving = with_value(saving, path, value)
    split = with_value(with_value(spec, "batch.micro_batch", 2), "batch.accumulation", 2)
    return [
        maker.run(f"stage-{stage}", saving),
        maker.resumed(f"resumed-{stage}", f"stage-{stage}", 2, saving),
        maker.run(f"sgd-{stage}", with_value(with_value(spec, "optimizer.kind", "sgd"), "batch.max_steps", 3)),
        maker.run(f"accumulated-{stage}", split),
    ]


def _stopped(maker: _Maker, two: JobSpec) -> list[dict[str, Any]]:
    stopped = maker.run("stopped", two)
    (maker.root / "stopped" / "control" / "c1.json").write_text(
        json.dumps({"command_id": "c1", "verb": "stop", "arguments": {"save": True}}), encoding="utf-8"
    )
    return [stopped, {**stopped, "attempt": 2, "resume": "step-1"}]


CHANGES = (("optimizer.learning_rate", 4e-4), ("batch.max_steps", 7), ("evaluation.every_steps", 3))
"""What the changed runs are told while they do their first update."""


def _changed(maker: _Maker, two: JobSpec) -> list[dict[str, Any]]:
    """Runs that are changed, paused, given rows to leave out, and one whose loss is no number soon."""
    asked = with_value(two, "evaluation.sample_prompts", ("What does the river do?",))
    asked = with_value(asked, "evaluation.sample_tokens", 3)
    changed, paused = maker.run("changed", asked), maker.run("changed-paused", asked)
    for name in ("changed", "changed-paused"):
        commands = [("amend", {"field": field, "value": value}) for field, value in CHANGES]
        commands += [("sample", {})] if name == "changed" else [("pause", {})]
        for number, (verb, arguments) in enumerate(commands):
            told = {"command_id": f"c{number}", "verb": verb, "arguments": arguments}
            (maker.root / name / "control" / f"c{number}.json").write_text(json.dumps(told), encoding="utf-8")
    left_out = maker.run("left-out", with_value(two, "batch.max_steps", 4))
    journal = JournalWriter(str(maker.root / "left-out" / "journal"), "supervisor", "left-out", lambda: 0.0)
    journal.write(Amended(1, 2, SKIP_STEPS, 1.0, at_start=True))
    journal.close()
    wild = with_value(with_value(two, "optimizer.learning_rate", 1e38), "regularization.clip_norm", 0.0)
    wild = with_value(wild, "checkpointing.state_every_steps", 1)
    return [changed, paused, {**paused, "attempt": 2, "resume": "step-1"}, left_out, maker.run("wild", wild)]


def _weighted(maker: _Maker, two: JobSpec) -> list[dict[str, Any]]:
    split = with_value(with_value(two, "batch.micro_batch", 2), "batch.accumulation", 2)
    runs = [
        maker.run("weighted-two-4", with_value(two, "strategy.zero_stage", 2)),
        maker.run("weighted-accumulated-3", with_value(split, "strategy.zero_stage", 3)),
    ]
    for name in ("weighted-two-4", "weighted-accumulated-3"):
        _give_weights(maker.root / name)
    return runs


def _give_weights(run_dir: Path) -> None:
    """Let the run train on a copy of its data in which tokens count 0, 0.25, 1 or 3."""
    launch = json.loads((run_dir / "launch.json").read_text(encoding="utf-8"))
    folder = Path(launch["data_folder"])
    weighted = folder.with_name(f"{folder.name}-weighted")
    if not weighted.exists():
        shutil.copytree(folder, weighted)
        tokens = open_prepared(folder).train.tokens
        weights = np.random.default_rng(4).choice(np.array([0.0, 0.25, 1.0, 3.0], np.float32), tokens)
        np.save(weighted / array_file(TRAIN, WEIGHTS), weights)
    launch["data_folder"] = str(weighted)
    (run_dir / "launch.json").write_text(json.dumps(launch), encoding="utf-8")


def _row_losses(maker: _Maker) -> list[dict[str, Any]]:
    """Two epochs and a bit of packed and split rows, saved within the second, from where others go on."""
    spec = job(
        strategy__ranks=2, strategy__zero_stage=3, batch__micro_batch=4, batch__max_steps=0, batch__epochs=2.2,
        data__over_length="split", data__max_length=24, checkpointing__state_every_steps=13,
        checkpointing__keep_last=9, regularization__label_smoothing=0.1,
    )  # fmt: skip
    losses = str(maker.root / "row-losses" / "row_losses")
    still = with_value(with_value(spec, "optimizer.learning_rate", 0.0), "batch.epochs", 1.0)
    return [
        maker.run("row-losses", spec),
        maker.resumed("row-losses-resumed", "row-losses", 13, spec, copy_losses=losses),
        maker.resumed("row-losses-without-past", "row-losses", 13, spec),
        maker.run("row-losses-still", with_value(still, "strategy.zero_stage", 0)),
    ]


def _with_added_tokens(maker: _Maker) -> list[dict[str, Any]]:
    spec = job(
        strategy__ranks=2, batch__micro_batch=4, batch__max_steps=2, data__added_tokens=ADDED_TOKENS,
        data__chat_template="builtin:chatml", checkpointing__state_every_steps=1, checkpointing__keep_last=9,
        evaluation__sample_prompts=("Hello",), evaluation__sample_tokens=3,
    )  # fmt: skip
    untied = _untied(maker.model, maker.root / "untied")
    runs = [maker.run(f"added-{stage}", with_value(spec, "strategy.zero_stage", stage)) for stage in STAGES]
    runs += [
        maker.run(f"added-untied-{stage}", with_value(spec, "strategy.zero_stage", stage), untied) for stage in (1, 3)
    ]
    runs.append(maker.resumed("added-resumed-3", "added-3", 1, with_value(spec, "strategy.zero_stage", 3)))
    return runs


def _untied(model: Path, folder: Path) -> Path:
    """Write the tiny model with a head of its own weights and a row more than its tokenizer has tokens."""
    import torch
    from transformers import AutoModelForCausalLM

    shutil.copytree(model, folder)
    own = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        own.resize_token_embeddings(own.config.vocab_size + 1, mean_resizing=False)
        own.config.tie_word_embeddings = False
        own.lm_head.weight = torch.nn.Parameter(torch.randn_like(own.lm_head.weight) * 0.02)
    own.save_pretrained(folder)
    return folder


REPLAYED_ROWS, REPLAY_SHARE = 5, 0.25


def _replayed(maker: _Maker) -> dict[str, Any]:
    """Run an epoch of which a quarter is a few rows of general data, again and again."""
    general = maker.root / "general.json"
    rows = [{"instruction": f"Count to {number}", "input": "", "output": "a a"} for number in range(REPLAYED_ROWS)]
    general.write_text(json.dumps(rows), encoding="utf-8")
    spec = job(
        strategy__ranks=2, batch__micro_batch=2, batch__max_steps=0, batch__epochs=1.0, data__packing=False,
        # a quarter of the rows is too long: the share is one of those that are left
        data__max_length=84, data__over_length="drop", data__more=(SourceSpec(path=str(general), replay=True),),
        data__replay_share=REPLAY_SHARE,
    )  # fmt: skip
    return maker.run("replayed", spec, further=(general,))


def _counted(maker: _Maker, two: JobSpec, stage: int) -> dict[str, Any]:
    """Run a few updates of several micro batches whose readings of tensors are counted."""
    split = with_value(with_value(two, "batch.micro_batch", 2), "batch.accumulation", 2)
    spec = with_value(with_value(split, "strategy.zero_stage", stage), "batch.max_steps", 4)
    return maker.run(f"counted-{stage}", with_value(spec, "evaluation.at_start", False), count_reads=True)


def _grouped(spec: JobSpec) -> JobSpec:
    for path, value in (
        ("data.packing", False), ("data.group_by_length", True), ("data.max_length", 256), ("batch.max_steps", 0),
        ("batch.epochs", 1.0),
    ):  # fmt: skip
        spec = with_value(spec, path, value)
    return spec


def _launch(ranks: int, plan: Path, runs: list[dict[str, Any]]) -> None:
    plan.write_text(json.dumps(runs), encoding="utf-8")
    done = launch_script(ranks, SCRIPT, str(plan))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
