"""Every optimizer under every ZeRO stage and offload beside the plain PyTorch optimizer, in one launch of two ranks."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from remote_agent.contract.combinations import COMBINATION_RULES, combination_problems, holds
from remote_agent.contract.events import StepCompleted
from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.problem import Known
from remote_agent.contract.schedule import lr_factor_at
from remote_agent.dataset.order import step_sequences
from remote_agent.dataset.prepared import open_prepared
from tests.support.tiny import tiny_model, tiny_rows
from tests.trainer.launches import _untied
from tests.trainer.run_folder import events_of, job, launch_script, make_run

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("many_optimizers.py")
KINDS = ("adamw", "lion", "muon", "sgd", "adafactor")
STEPS = 3
FROZEN = "model.layers.0.mlp.up_proj.*"
RATES = {"adamw": 1e-3, "adamw_8bit": 1e-3, "lion": 2e-4, "muon": 1e-3, "sgd": 0.1, "adafactor": 1e-2}


@dataclasses.dataclass(frozen=True)
class Case:
    """A run: its name in the folder is `name`."""

    kind: str
    stage: int
    offload: str = ""
    precision: str = "fp32"
    clip_value: float = 0.0
    clip_norm: float = 1.0
    scale_power: int = 14

    @property
    def name(self) -> str:
        clip = f"-clip{self.clip_value:g}-{self.clip_norm:g}" if self.clip_value else ""
        precision = self.precision + ("-overflow" if self.scale_power > 14 else "")
        return f"{self.kind}-{self.stage}{'-' + self.offload if self.offload else ''}-{precision}{clip}"

    @property
    def reference(self) -> str:
        return f"{self.kind}-{self.precision}-{self.clip_value:g}-{self.clip_norm:g}"

    def spec(self) -> JobSpec:
        return job(
            strategy__ranks=2, strategy__zero_stage=self.stage, strategy__precision=self.precision,
            strategy__offload_optimizer=bool(self.offload), strategy__offload_parameters=self.offload == "all",
            batch__micro_batch=2, batch__accumulation=2, batch__max_steps=STEPS, data__packing=False,
            evaluation__at_start=False, schedule__warmup__amount=0.0, optimizer__kind=self.kind,
            optimizer__learning_rate=RATES[self.kind], optimizer__layer_decay=0.8, optimizer__embedding_factor=0.5,
            optimizer__head_factor=2.0, optimizer__frozen=(FROZEN,), regularization__clip_value=self.clip_value,
            regularization__clip_norm=self.clip_norm, strategy__loss_scale_power=self.scale_power,
        )  # fmt: skip

    def offered(self) -> bool:
        return not list(combination_problems(self.spec(), Known()))


def _cases() -> list[Case]:
    places = [(0, ""), (1, ""), (2, ""), (3, ""), (1, "states"), (2, "states"), (3, "states"), (3, "all")]
    found = [Case(kind, stage, offload) for kind in ("adamw", "lion", "sgd") for stage, offload in places]
    found += [Case("adamw_8bit", stage) for stage in (0, 1, 2, 3)]
    found += [Case("muon", stage) for stage in (0, 1, 3)] + [Case("adafactor", stage) for stage in (0, 1, 2, 3)]
    found += [Case(kind, 0, precision="bf16") for kind in KINDS]
    found += [Case("adamw", stage, precision="bf16") for stage in (1, 2, 3)]
    found += [Case("adamw", stage, precision="fp16") for stage in (0, 1, 2, 3)]
    clipped = [(0, ""), (1, ""), (2, ""), (3, ""), (1, "states"), (3, "all")]
    found += [Case("adamw", stage, offload, clip_value=1e-3, clip_norm=0.0) for stage, offload in clipped]
    found.append(Case("adamw", 0, clip_value=1e-3, clip_norm=0.02))
    return found


CASES = _cases()
OVERFLOWING = [Case("adamw", stage, precision="fp16", scale_power=32) for stage in (1, 2, 3)]


@dataclasses.dataclass
class Runs:
    """The finished runs and the plain ones beside them."""

    root: Path
    model: Path
    plain: dict[str, dict[str, torch.Tensor]] = dataclasses.field(default_factory=dict)

    def weights(self, case: Case) -> dict[str, torch.Tensor]:
        return dict(load_file(self.root / case.name / "checkpoints" / f"step-{STEPS}" / "model.safetensors"))

    def steps(self, case: Case) -> list[StepCompleted]:
        return [event for event in events_of(self.root / case.name) if isinstance(event, StepCompleted)]

    def refused(self, case: Case) -> str:
        path = self.root / case.name / "refused-rank0"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def base(self) -> dict[str, torch.Tensor]:
        return dict(load_file(self.model / "model.safetensors"))

    def error(self, case: Case) -> float:
        """Return how far the run's weights are from the plain ones, as a share of what the plain updates changed."""
        if case.reference not in self.plain:
            self.plain[case.reference] = _plain(self, case)
        plain, base, found = self.plain[case.reference], self.base(), self.weights(case)
        assert set(found) == set(plain)
        wrong = sum(float((found[name].double() - plain[name].double()).pow(2).sum()) for name in plain)
        moved = sum(float((base[name].double() - plain[name].double()).pow(2).sum()) for name in plain)
        return math.sqrt(wrong / moved)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return do_runs(tmp_path_factory.mktemp("optimizers"))


def do_runs(root: Path) -> Runs:
    logging.disable_progress_bar()  # type: ignore[no-untyped-call, unused-ignore]
    model = _untied(tiny_model(root / "tied"), root / "model")
    rows = tiny_rows(root / "rows", 60)
    plan = []
    for case in [*CASES, *OVERFLOWING]:
        make_run(root, case.name, case.spec(), model, rows)
        plan.append({"run_dir": str(root / case.name), "may_fail": not case.offered()})
    path = root / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    done = launch_script(2, SCRIPT, str(path))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return Runs(root, model)


def _plain(runs: Runs, case: Case) -> dict[str, torch.Tensor]:
    """Do the updates with PyTorch alone, the optimizer on fp32 copies of weights that are rounded to the precision.

    Forward and backward are in fp32, so only the gradients' own rounding is left out.
    """
    launch = json.loads((runs.root / case.name / "launch.json").read_text(encoding="utf-8"))
    part = open_prepared(Path(launch["data_folder"])).train
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[case.precision]
    model = AutoModelForCausalLM.from_pretrained(runs.model, dtype=torch.float32, attn_implementation="sdpa")
    for name, parameter in model.named_parameters():
        parameter.data = parameter.data.to(dtype).float()
        parameter.requires_grad_(not name.startswith("model.layers.0.mlp.up_proj."))
    trained = {name: one for name, one in model.named_parameters() if one.requires_grad}
    masters = {name: torch.nn.Parameter(one.detach().float().clone()) for name, one in trained.items()}
    spec = case.spec()
    optimizers = _plain_optimizers(masters, case.kind)
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    for step in range(STEPS):
        model.zero_grad()
        total, tokens = torch.zeros(()), 0
        for number in itertools.chain(*itertools.chain(*step_sequences(spec.seed, step, len(part), 2, 2, 2))):
            row = part.sequence(number)
            logits = model(torch.tensor(row.ids[None].astype("int64")), use_cache=False).logits[0, :-1].float()
            targets = torch.tensor(row.labels[1:].astype("int64"))
            total = total + torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
            tokens += int((targets != -100).sum())
        (total / tokens).backward()  # type: ignore[no-untyped-call]
        for name, master in masters.items():
            gradient = trained[name].grad
            assert gradient is not None
            master.grad = gradient.float()
        if case.clip_value:
            torch.nn.utils.clip_grad_value_(masters.values(), case.clip_value)
        if case.clip_norm:
            torch.nn.utils.clip_grad_norm_(masters.values(), case.clip_norm)
        for optimizer, peaks in zip(optimizers, rates, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * lr_factor_at(spec.schedule, step, STEPS)
            optimizer.step()
        with torch.no_grad():
            for name, master in masters.items():
                trained[name].copy_(master.to(dtype))
    return {name: value.detach() for name, value in model.state_dict().items()}


def _plain_optimizers(masters: dict[str, torch.nn.Parameter], kind: str) -> list[torch.optim.Optimizer]:
    def factor(name: str) -> float:
        return 0.32 if "embed" in name else 2.0 if "lm_head" in name else 0.8 if "layers.0." in name else 1.0

    peak = RATES[kind]
    groups: list[dict[str, Any]] = [
        {"params": [one], "lr": peak * factor(name), "weight_decay": 0.1 * (".layers." in name and one.ndim == 2)}
        for name, one in masters.items()
    ]
    if kind == "sgd":
        return [_PlainSgd(groups)]
    if kind == "lion":
        return [_PlainLion(groups)]
    if kind == "adafactor":
        return [torch.optim.Adafactor(groups, lr=peak)]
    if kind in ("adamw", "adamw_8bit"):
        return [torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.95), eps=1e-8)]
    matrices = [group for group in groups if group["weight_decay"]]
    others = [group for group in groups if not group["weight_decay"]]
    return [
        torch.optim.Muon(matrices, lr=peak, momentum=0.9, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=peak, betas=(0.9, 0.95), eps=1e-8),
    ]


class _PlainSgd(torch.optim.Optimizer):
    """Momentum and decoupled decay, one line each."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for one in group["params"]:
                velocity = self.state[one].get("velocity", torch.zeros_like(one)) * 0.9 + one.grad
                self.state[one]["velocity"] = velocity
                one.copy_(one * (1 - group["lr"] * group["weight_decay"]) - group["lr"] * velocity)


class _PlainLion(torch.optim.Optimizer):
    """Program 1 of the paper, line by line."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for one in group["params"]:
                momentum = self.state[one].get("momentum", torch.zeros_like(one))
                update = torch.sign(0.9 * momentum + 0.1 * one.grad) + group["weight_decay"] * one
                one.sub_(update * group["lr"])
                self.state[one]["momentum"] = 0.95 * momentum + 0.05 * one.grad


@pytest.mark.parametrize("case", [case for case in CASES if case.offered()], ids=lambda case: case.name)
def test_that_what_is_offered_gives_the_plain_optimizers_updates(runs: Runs, case: Case) -> None:
    assert [event.step for event in runs.steps(case)] == [1, 2, 3]
    # in 16 bits the gradients themselves are rounded, each side in its own order; in 8 bits the states are
    exact = case.precision == "fp32" and case.kind != "adamw_8bit"
    assert runs.error(case) < (1e-3 if exact else 0.05)
    name = "model.layers.0.mlp.up_proj.weight"
    frozen = runs.weights(case)[name]
    assert torch.equal(frozen, runs.base()[name].to(frozen.dtype))


@pytest.mark.parametrize("case", [case for case in CASES if not case.offered()], ids=lambda case: case.name)
def test_that_what_is_refused_fails_or_gives_other_updates(runs: Runs, case: Case) -> None:
    reasons = [rule.reason for rule in COMBINATION_RULES if holds(rule, lambda path: value_at(case.spec(), path))]
    assert reasons and all(reasons)
    assert runs.refused(case) or runs.error(case) > 0.1


def test_that_fp16_journals_its_scale_and_each_update_that_overflowed(runs: Runs) -> None:
    for case in OVERFLOWING:
        steps = runs.steps(case)
        assert [event.skipped_steps for event in steps] == [1, 2, 3]
        assert [event.loss_scale for event in steps] == [2.0**32, 2.0**31, 2.0**30]
        assert steps[0].gradient_norm == math.inf
        # the rate is the schedule's of that update, whether the one before changed anything or not
        rates = [lr_factor_at(case.spec().schedule, step, STEPS) * RATES["adamw"] for step in range(STEPS)]
        assert [event.learning_rate for event in steps] == rates
        assert runs.steps(Case("adamw", case.stage, precision="fp16"))[-1].loss_scale == 2.0**14
    assert {event.loss_scale for event in runs.steps(Case("adamw", 0))} == {0.0}


def test_that_the_rates_of_all_groups_are_journalled_where_they_differ(runs: Runs) -> None:
    for event in runs.steps(Case("adamw", 3)):
        assert event.learning_rates[0] == event.learning_rate
        shares = sorted({rate / event.learning_rate for rate in event.learning_rates})
        assert shares == pytest.approx([0.32, 0.8, 1.0, 2.0])
