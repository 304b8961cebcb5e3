"""Groups and update rules over a model's own parameters, and the schedule over groups of different rates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, get_cosine_schedule_with_warmup
from transformers.utils import logging

from remote_agent.contract.job_spec import JobSpec, OptimizerSpec, with_value
from remote_agent.contract.parameter_groups import parameter_groups
from remote_agent.contract.schedule import lr_at
from remote_agent.trainer.optimizer import build_scheduler, make_optimizer, model_groups
from remote_agent.trainer.optimizers.choice import CPU_ADAM, FUSED_ADAM, TORCH, adam_kernel, build_optimizer
from remote_agent.trainer.optimizers.decoupled import DecoupledSGD, Lion
from remote_agent.trainer.optimizers.muon import MuonWithAdamW
from tests.support.tiny import tiny_model


def _model(folder: Path) -> Any:
    logging.disable_progress_bar()  # type: ignore[no-untyped-call, unused-ignore]
    return AutoModelForCausalLM.from_pretrained(tiny_model(folder), dtype=torch.float32)


def test_that_decay_spares_norms_and_embeddings_unless_they_are_chosen(tmp_path: Path) -> None:
    model = _model(tmp_path)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for chosen in (False, True):
        groups = model_groups(model, OptimizerSpec(weight_decay=0.3, decay_embeddings=chosen))
        decayed = {names[id(parameter)] for parameter in groups[0]["params"]}
        spared = {names[id(parameter)] for parameter in groups[1]["params"]}
        assert [group["weight_decay"] for group in groups] == [0.3, 0.0]
        assert ("model.embed_tokens.weight" in decayed) is chosen
        assert {name for name in spared if "norm" in name} == {name for name in names.values() if "norm" in name}
        assert decayed | spared == set(names.values())


@pytest.mark.parametrize("kind", ["adamw", "lion", "muon", "sgd", "adafactor"])
def test_that_the_optimizer_holds_the_groups_that_the_preview_shows(tmp_path: Path, kind: str) -> None:
    model = _model(tmp_path)
    shapes = [(name, tuple(parameter.shape)) for name, parameter in model.named_parameters()]
    spec = OptimizerSpec(kind=kind, layer_decay=0.5, embedding_factor=0.25, frozen=("*.1.mlp.*",))
    shown = [group for group in parameter_groups(shapes, spec) if not group.frozen]
    optimizer = make_optimizer(model, JobSpec(optimizer=spec))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert [tuple(names[id(one)] for one in group["params"]) for group in optimizer.param_groups] == [
        group.names for group in shown
    ]
    assert [group["lr"] for group in optimizer.param_groups] == [2e-5 * group.lr_factor for group in shown]
    key = "decay" if kind in ("lion", "sgd") else "weight_decay"
    assert [group[key] for group in optimizer.param_groups] == [group.weight_decay for group in shown]
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    assert frozen == {f"model.layers.1.mlp.{name}_proj.weight" for name in ("gate", "up", "down")}


def test_that_a_model_that_is_frozen_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to train"):
        make_optimizer(_model(tmp_path), JobSpec(optimizer=OptimizerSpec(frozen=("*",))))


def test_that_eight_bits_without_the_package_say_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    with pytest.raises(ValueError, match="bitsandbytes"):
        build_optimizer([{"params": [torch.nn.Parameter(torch.ones(1))]}], OptimizerSpec(kind="adamw_8bit"))


def test_that_adamw_is_computed_where_the_states_lie_and_by_what_the_recipe_names() -> None:
    torch_s, fused = OptimizerSpec(), OptimizerSpec(adam_kernel="deepspeed")
    nothing, all_there = {"cpu_adam": False, "fused_adam": False}, {"cpu_adam": True, "fused_adam": True}
    assert [adam_kernel(torch_s, False, there) for there in (nothing, all_there, {})] == [TORCH] * 3
    assert [adam_kernel(fused, False, there) for there in (nothing, all_there, {})] == [FUSED_ADAM] * 3
    for spec in (torch_s, fused):
        assert [adam_kernel(spec, True, there) for there in (nothing, all_there, {})] == [TORCH, CPU_ADAM, TORCH]
    made = build_optimizer([{"params": [torch.nn.Parameter(torch.ones(1))]}], torch_s)
    assert type(made) is torch.optim.AdamW and made.defaults["fused"]


def test_that_a_fused_adam_that_cannot_be_compiled_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Causes what a node without a compiler causes: DeepSpeed's own builder fails within its own loading."""
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    with pytest.raises(ValueError, match=r"FusedAdam cannot be loaded .* set the AdamW kernel to torch") as caught:
        build_optimizer([{"params": [torch.nn.Parameter(torch.ones(1))]}], OptimizerSpec(adam_kernel="deepspeed"))
    assert "\n" not in str(caught.value)


def test_that_sgd_decays_past_the_momentum() -> None:
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    spec = OptimizerSpec(kind="sgd", learning_rate=0.1, momentum=0.5, weight_decay=0.2)
    optimizer = build_optimizer([{"params": [weight], "decay": 0.2}], spec)
    assert isinstance(optimizer, DecoupledSGD)
    expected, velocity = 2.0, 0.0
    for _ in range(3):
        optimizer.zero_grad()
        (3.0 * weight).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        velocity = 0.5 * velocity + 3.0
        expected = expected * (1.0 - 0.1 * 0.2) - 0.1 * velocity
        assert weight.item() == pytest.approx(expected, rel=1e-6)


def test_that_lion_steps_by_the_sign_of_its_interpolated_momentum() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, -1.0, 0.5]))
    optimizer = Lion([{"params": [weight], "decay": 0.1}], lr=0.01, betas=(0.9, 0.99))
    expected, momentum = weight.detach().clone(), torch.zeros(3)
    for gradient in torch.tensor([[1.0, -2.0, 0.0], [-0.5, 1.0, 3.0], [4.0, 0.1, -9.0]]):
        weight.grad = gradient.clone()
        optimizer.step()
        update = torch.sign(0.9 * momentum + 0.1 * gradient) + 0.1 * expected
        momentum = 0.99 * momentum + 0.01 * gradient
        expected = expected - 0.01 * update
        torch.testing.assert_close(weight.detach(), expected)


def test_that_muon_and_adamw_in_one_are_pytorchs_two_and_survive_a_checkpoint() -> None:
    def weights() -> list[torch.nn.Parameter]:
        generator = torch.Generator().manual_seed(3)
        return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((8, 6), (6,))]

    spec = OptimizerSpec(kind="muon", learning_rate=0.01, momentum=0.9)

    def ours_of(matrix: torch.nn.Parameter, vector: torch.nn.Parameter) -> MuonWithAdamW:
        return MuonWithAdamW(
            [{"params": [matrix], "rule": "muon", "weight_decay": 0.1}, {"params": [vector], "rule": "adamw"}], spec
        )

    own, plain = weights(), weights()
    ours: torch.optim.Optimizer = ours_of(*own)
    theirs = [
        torch.optim.Muon(plain[:1], lr=0.01, momentum=0.9, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(plain[1:], lr=0.01, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0),
    ]
    for step in range(4):
        for one, other in zip(own, plain, strict=True):
            gradient = torch.randn(one.shape, generator=torch.Generator().manual_seed(step))
            one.grad, other.grad = gradient, gradient.clone()
        if step == 2:
            saved, ours = ours.state_dict(), ours_of(*own)
            ours.load_state_dict(saved)
        ours.step()
        for optimizer in theirs:
            optimizer.step()
        for one, other in zip(own, plain, strict=True):
            torch.testing.assert_close(one, other)


def test_that_a_schedule_begun_late_goes_on_where_the_whole_one_is() -> None:
    spec = JobSpec()
    for first in (0, 7, 19):
        groups = [{"params": [torch.nn.Parameter(torch.ones(1))], "lr": 2e-5 * factor} for factor in (1.0, 0.5)]
        optimizer = build_optimizer(groups, spec.optimizer)
        scheduler = build_scheduler(optimizer, spec, first, 20)
        for step in range(first, 20):
            assert optimizer.param_groups[0]["lr"] == lr_at(spec, step, 20)
            assert optimizer.param_groups[1]["lr"] == pytest.approx(0.5 * lr_at(spec, step, 20), rel=1e-12)
            optimizer.step()
            scheduler.step()


def test_that_the_schedule_is_transformers_cosine() -> None:
    spec = with_value(with_value(JobSpec(), "schedule.minimum_factor", 0.0), "schedule.warmup.amount", 25.0)
    optimizers = [build_optimizer([{"params": [torch.nn.Parameter(torch.ones(1))]}], spec.optimizer) for _ in "12"]
    ours = build_scheduler(optimizers[0], spec, 0, 12)
    theirs = get_cosine_schedule_with_warmup(optimizers[1], 3, 12)
    for _ in range(12):
        assert optimizers[0].param_groups[0]["lr"] == pytest.approx(optimizers[1].param_groups[0]["lr"], rel=1e-12)
        for optimizer, scheduler in zip(optimizers, (ours, theirs), strict=True):
            optimizer.step()
            scheduler.step()
