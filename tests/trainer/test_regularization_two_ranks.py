"""Regularization under every ZeRO stage beside plain PyTorch loops, with accumulation, in one launch of two ranks."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import AutoModelForCausalLM

from remote_agent.contract.events import Evaluated, StepCompleted, TrainingEnded
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.schedule import lr_at
from remote_agent.dataset.order import step_sequences
from remote_agent.dataset.prepared import open_prepared
from remote_agent.trainer.batches import BatchShape, MicroBatch, collate
from remote_agent.trainer.draws import draw_seed, generator
from remote_agent.trainer.mixup import draw_mixing
from tests.support.tiny import tiny_model, tiny_rows
from tests.trainer.run_folder import events_of, job, launch_script, make_run

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("many_runs.py")
STAGES = (0, 1, 2, 3)
BF16_STAGES = (0, 3)
STEPS, RANKS, MICRO, ACCUMULATION = 4, 2, 2, 2
PENALTY, DECAY, DROPOUT, R_DROP, MIXUP, NEFTUNE, SMOOTHING, RESIDUAL = 3.0, 0.6, 0.2, 2.0, 0.8, 5.0, 0.2, 0.3

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "penalty": {"base_penalty": PENALTY, "clip_norm": 0.05},
    "ema": {"averaging": "ema", "ema_decay": DECAY},
    "tail": {"averaging": "tail", "tail_percent": 50.0},
    "r-drop": {"r_drop_alpha": R_DROP, "override_dropout": True, "dropout": DROPOUT},
    "mixup": {"mixup_alpha": MIXUP},
    "neftune": {"neftune_alpha": NEFTUNE},
    "smoothing": {"label_smoothing": SMOOTHING},
    "dropout": {"override_dropout": True, "dropout": DROPOUT},
    "residual": {"residual_dropout": RESIDUAL},
}
RESUMED = (("penalty", 0), ("penalty", 3), ("ema", 1), ("ema", 3), ("ema", 0), ("tail", 3), ("r-drop", 3), ("mixup", 1))
ELSEWHERE = {kind: (0, 3) for kind in ("tail", "neftune", "smoothing", "dropout", "residual")}
"""What is known of these from the others leaves two stages to look at."""
CASES = [(kind, stage) for kind in KINDS for stage in ELSEWHERE.get(kind, STAGES)]


def _spec(kind: str, stage: int, **changes: Any) -> JobSpec:
    spec = job(
        strategy__ranks=RANKS, strategy__zero_stage=stage, batch__micro_batch=MICRO, batch__accumulation=ACCUMULATION,
        batch__max_steps=STEPS, data__packing=False, evaluation__at_start=False,
        checkpointing__state_every_steps=3, checkpointing__keep_last=9, **changes,
    )  # fmt: skip
    for name, value in KINDS[kind].items():
        spec = with_value(spec, "regularization." + name, value)
    return spec


@dataclasses.dataclass
class Runs:
    """The finished runs, and the plain loops' weights and losses beside them by kind."""

    root: Path
    model: Path
    plain: dict[str, tuple[dict[str, torch.Tensor], list[float]]] = dataclasses.field(default_factory=dict)

    def events(self, name: str, kind: type) -> list[Any]:
        return [event for event in events_of(self.root / name) if isinstance(event, kind)]

    def losses(self, name: str) -> list[float]:
        return [event.loss for event in self.events(name, StepCompleted)]

    def weights(self, name: str, step: int = STEPS) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = load_file(
            self.root / name / "checkpoints" / f"step-{step}" / "model.safetensors"
        )
        return found

    def plainly(self, kind: str) -> tuple[dict[str, torch.Tensor], list[float]]:
        if kind not in self.plain:
            self.plain[kind] = _plain(self, kind)
        return self.plain[kind]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    root = tmp_path_factory.mktemp("regularization")
    model, rows = tiny_model(root / "model"), tiny_rows(root / "rows", 60)
    plan: list[dict[str, Any]] = []

    def add(name: str, spec: JobSpec, of: str = "", step: int = 3) -> None:
        make_run(root, name, spec, model, rows)
        resume = f"step-{step}" if of else ""
        copy_from = str(root / of / "checkpoints" / resume) if of else ""
        plan.append({"run_dir": str(root / name), "attempt": 1, "resume": resume, "copy_from": copy_from})

    for kind, stage in CASES:
        add(f"{kind}-{stage}", _spec(kind, stage))
    for kind, stage in RESUMED:
        add(f"{kind}-{stage}-resumed", _spec(kind, stage), of=f"{kind}-{stage}")
    for stage in BF16_STAGES:
        for kind in ("plain", "ema", "penalty"):
            add(f"bf16-{kind}-{stage}", with_value(_spec(kind, stage), "strategy.precision", "bf16"))
    offload = with_value(_spec("penalty", 2), "strategy.offload_optimizer", True)
    add("penalty-offloaded", offload)
    early = _early()
    add("early", early)
    add("early-resumed", early, of="early", step=4)
    for name, packing in (("packed", True), ("padded", False)):
        add(f"two-4-{name}", _invariant(packing, RANKS, 4, 1))
        add(f"two-accumulated-{name}", with_value(_invariant(packing, RANKS, 1, 4), "strategy.zero_stage", 3))
    _launch(RANKS, root / "two.json", plan)
    plan = []
    for name, packing in (("packed", True), ("padded", False)):
        add(f"one-8-{name}", _invariant(packing, 1, 8, 1))
        add(f"one-accumulated-{name}", _invariant(packing, 1, 1, 8))
    _launch(1, root / "one.json", plan)
    # the plain loops' matrices are too small to share between threads
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Runs(root, model)
    torch.set_num_threads(threads)


def _early() -> JobSpec:
    """Return a job that gets no better, for its rate is 0: the first evaluation stays the best."""
    spec = _spec("plain", 2, evaluation__every_steps=2, optimizer__learning_rate=1e-30)
    for path, value in (
        ("batch.max_steps", 12), ("regularization.patience", 3), ("regularization.patience_threshold", 0.01),
        ("checkpointing.state_every_steps", 4), ("checkpointing.save_at_end", True),
    ):  # fmt: skip
        spec = with_value(spec, path, value)
    return spec


def _invariant(packing: bool, ranks: int, micro_batch: int, accumulation: int) -> JobSpec:
    return job(
        strategy__ranks=ranks, batch__micro_batch=micro_batch, batch__accumulation=accumulation, batch__max_steps=3,
        data__packing=packing, evaluation__at_start=False, checkpointing__save_at_end=False,
    )  # fmt: skip


def _launch(ranks: int, plan: Path, runs: list[dict[str, Any]]) -> None:
    plan.write_text(json.dumps(runs), encoding="utf-8")
    done = launch_script(ranks, SCRIPT, str(plan))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]


Loss = Callable[[Any, MicroBatch, int], torch.Tensor]


def _plain(runs: Runs, kind: str) -> tuple[dict[str, torch.Tensor], list[float]]:
    """Train with nothing but PyTorch and transformers, both ranks' micro batches one after the other."""
    spec = _spec(kind, 0)
    launch = json.loads((runs.root / f"{kind}-0" / "launch.json").read_text(encoding="utf-8"))
    data = open_prepared(Path(launch["data_folder"]))
    dropout = DROPOUT if kind in ("r-drop", "dropout") else 0.0
    model = AutoModelForCausalLM.from_pretrained(runs.model, dtype=torch.float32, attention_dropout=dropout).train()
    if kind == "residual":
        for layer in model.model.layers:
            layer.forward = functools.partial(_layer_with_dropout, layer)
    base = {name: one.detach().clone() for name, one in model.named_parameters()}
    matrices = [one for name, one in model.named_parameters() if one.ndim == 2 and "embed" not in name]
    others = [one for name, one in model.named_parameters() if one.ndim == 1 or "embed" in name]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
    moving = get_ema_multi_avg_fn(DECAY) if kind == "ema" else None  # type: ignore[no-untyped-call]
    averaged = AveragedModel(model, multi_avg_fn=moving)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        losses.append(_backward(model, data, spec, step, LOSSES.get(kind, _cross_entropy)))
        torch.nn.utils.clip_grad_norm_(model.parameters(), spec.regularization.clip_norm)
        if kind == "penalty":
            # autograd's gradient of penalty / 2 x the squared distance
            distances = [(one - base[name]).pow(2).sum() for name, one in model.named_parameters()]
            torch.autograd.backward(PENALTY / 2.0 * torch.stack(distances).sum())
        for group in optimizer.param_groups:
            group["lr"] = lr_at(spec, step, STEPS)
        optimizer.step()
        if kind == "ema" or step + 1 > STEPS // 2:
            averaged.update_parameters(model)
    kept = averaged.module if kind in ("ema", "tail") else model
    return {name: one.detach() for name, one in kept.named_parameters()}, losses


def _backward(model: Any, data: Any, spec: JobSpec, step: int, loss_of: Loss) -> float:
    chosen = step_sequences(spec.seed, step, len(data.train), MICRO, ACCUMULATION, RANKS)
    shape = BatchShape(data.report.pad_token_id)
    batches = [
        (collate([data.train.sequence(int(one)) for one in chosen[micro][rank]], shape), micro, rank)
        for micro in range(ACCUMULATION)
        for rank in range(RANKS)
    ]
    tokens = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch, _, _ in batches)
    total = 0.0
    for batch, micro, rank in batches:
        draw = draw_seed(spec.seed, step, micro, rank)
        torch.manual_seed(draw)
        loss = loss_of(model, batch, draw) / tokens
        torch.autograd.backward(loss)
        total += loss.item()
    return total


def _summed(logits: torch.Tensor, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="sum", label_smoothing=smoothing
    )


def _cross_entropy(model: Any, batch: MicroBatch, draw: int) -> torch.Tensor:
    return _summed(model(input_ids=batch["input_ids"]).logits, batch["labels"])


def _smoothed(model: Any, batch: MicroBatch, draw: int) -> torch.Tensor:
    return _summed(model(input_ids=batch["input_ids"]).logits, batch["labels"], SMOOTHING)


def _mixup(model: Any, batch: MicroBatch, draw: int) -> torch.Tensor:
    share, order = draw_mixing(MIXUP, len(batch["input_ids"]), draw)
    embedded = model.get_input_embeddings()(batch["input_ids"])
    logits = model(inputs_embeds=share * embedded + (1 - share) * embedded[order]).logits
    return share * _summed(logits, batch["labels"]) + (1 - share) * _summed(logits, batch["labels"][order])


def _neftune(model: Any, batch: MicroBatch, draw: int) -> torch.Tensor:
    embedded = model.get_input_embeddings()(batch["input_ids"])
    drawn = torch.rand(embedded.shape, generator=generator(draw, "neftune", embedded.device)) * 2 - 1
    size = NEFTUNE / torch.sqrt(batch["row_tokens"] * embedded.shape[-1])
    return _summed(model(inputs_embeds=embedded + drawn * size[:, None, None]).logits, batch["labels"])


def _r_drop(model: Any, batch: MicroBatch, draw: int) -> torch.Tensor:
    """Take both passes as one batch, which is how the same seed gives the same masks."""
    labels = batch["labels"]
    first, second = model(input_ids=torch.cat([batch["input_ids"]] * 2)).logits.chunk(2)
    entropy = (_summed(first, labels) + _summed(second, labels)) / 2
    kept = labels[:, 1:] != -100
    p, q = (one[:, :-1][kept].log_softmax(-1) for one in (first, second))
    kl = torch.nn.functional.kl_div(p, q, log_target=True, reduction="sum")
    kl = kl + torch.nn.functional.kl_div(q, p, log_target=True, reduction="sum")
    return entropy + R_DROP * kl / 2


def _layer_with_dropout(layer: Any, hidden: torch.Tensor, **more: Any) -> torch.Tensor:
    """Do a Llama layer written out, with dropout on what attention and MLP add to the residual stream."""
    attended = layer.self_attn(hidden_states=layer.input_layernorm(hidden), **more)[0]
    hidden = hidden + torch.nn.functional.dropout(attended, RESIDUAL)
    return hidden + torch.nn.functional.dropout(layer.mlp(layer.post_attention_layernorm(hidden)), RESIDUAL)


LOSSES: dict[str, Loss] = {"mixup": _mixup, "neftune": _neftune, "r-drop": _r_drop, "smoothing": _smoothed}


def _error(found: dict[str, torch.Tensor], plain: dict[str, torch.Tensor], base: dict[str, torch.Tensor]) -> float:
    """Return how far found weights are from the plain ones, as a share of what the plain updates changed."""
    wrong = sum(float((found[name].double() - plain[name].double()).pow(2).sum()) for name in plain)
    moved = sum(float((base[name].double() - plain[name].double()).pow(2).sum()) for name in plain)
    return math.sqrt(wrong / moved)


@pytest.mark.parametrize(("kind", "stage"), CASES)
def test_that_losses_and_saved_weights_are_those_of_plain_pytorch(runs: Runs, kind: str, stage: int) -> None:
    weights, losses = runs.plainly(kind)
    assert runs.losses(f"{kind}-{stage}") == pytest.approx(losses, abs=1e-5)
    base = load_file(runs.model / "model.safetensors")
    assert _error(runs.weights(f"{kind}-{stage}"), weights, base) < 2e-3


def test_that_the_oracles_tell_the_kinds_apart(runs: Runs) -> None:
    base = load_file(runs.model / "model.safetensors")
    plain, losses = runs.plainly("plain")
    for kind in KINDS:
        if kind != "plain":
            assert _error(runs.plainly(kind)[0], plain, base) > 0.02, kind
    for kind in ("r-drop", "mixup", "neftune", "dropout", "residual"):
        assert abs(runs.plainly(kind)[1][0] - losses[0]) > 1e-4, kind


def test_that_the_pull_to_the_base_is_the_same_with_offloaded_states(runs: Runs) -> None:
    assert runs.losses("penalty-offloaded") == pytest.approx(runs.plainly("penalty")[1], abs=1e-5)


@pytest.mark.parametrize(("kind", "stage"), RESUMED)
def test_that_a_resumed_run_repeats_the_whole_one_to_the_last_bit(runs: Runs, kind: str, stage: int) -> None:
    whole, resumed = f"{kind}-{stage}", f"{kind}-{stage}-resumed"
    assert [one.hex() for one in runs.losses(resumed)] == [one.hex() for one in runs.losses(whole)[3:]]
    at_end = [runs.events(name, Evaluated)[-1].loss.hex() for name in (whole, resumed)]
    assert at_end[0] == at_end[1]
    first, second = runs.weights(whole), runs.weights(resumed)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_that_averages_change_no_update_and_are_what_is_measured_and_saved(runs: Runs) -> None:
    for kind, stage in CASES:
        if kind not in ("ema", "tail"):
            continue
        name = f"{kind}-{stage}"
        assert [one.hex() for one in runs.losses(name)] == [one.hex() for one in runs.losses(f"plain-{stage}")]
        (measured,) = runs.events(name, Evaluated)
        assert measured.loss == pytest.approx(_held_out_loss(runs, name), abs=1e-5)
        assert measured.loss != runs.events(f"plain-{stage}", Evaluated)[0].loss


def test_that_bf16_weights_are_averaged_in_fp32_and_trained_on_as_before(runs: Runs) -> None:
    for stage in BF16_STAGES:
        name, plain = f"bf16-ema-{stage}", f"bf16-plain-{stage}"
        assert [one.hex() for one in runs.losses(name)] == [one.hex() for one in runs.losses(plain)]
        found, last = runs.weights(name), runs.weights(plain)
        assert all(one.dtype == torch.bfloat16 for one in found.values())
        assert any(not torch.equal(found[key], last[key]) for key in last)
        fp32, _ = runs.plainly("ema")
        # bf16 keeps 8 bits
        assert all(torch.allclose(found[key].float(), fp32[key], atol=6e-3, rtol=1e-2) for key in fp32)
        assert runs.losses(f"bf16-penalty-{stage}") == pytest.approx(runs.plainly("penalty")[1], abs=0.03)


def test_that_a_run_that_gets_no_better_ends_as_complete_and_says_why(runs: Runs) -> None:
    evaluated = [(event.step, event.loss) for event in runs.events("early", Evaluated)]
    assert [step for step, _ in evaluated] == [2, 4, 6, 8]
    (ended,) = runs.events("early", TrainingEnded)
    best = f"{evaluated[0][1]:.4f}"
    assert ended == TrainingEnded(
        1, 8, True,
        f"Stopped early at step 8: the held-out loss has not become better than {best} (step 2) in 3 evaluations.",
    )  # fmt: skip
    assert runs.weights("early", 8)


def test_that_a_resume_remembers_the_evaluations_before(runs: Runs) -> None:
    assert [event.step for event in runs.events("early-resumed", Evaluated)] == [6, 8]
    whole, resumed = (runs.events(name, TrainingEnded)[0] for name in ("early", "early-resumed"))
    assert resumed == whole


@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_that_the_loss_depends_on_neither_ranks_nor_accumulation(runs: Runs, layout: str) -> None:
    reference = runs.losses(f"one-8-{layout}")
    for name in ("two-4", "one-accumulated", "two-accumulated"):
        assert runs.losses(f"{name}-{layout}") == pytest.approx(reference, rel=1e-5), name


def _held_out_loss(runs: Runs, name: str) -> float:
    launch = json.loads((runs.root / name / "launch.json").read_text(encoding="utf-8"))
    part = open_prepared(Path(launch["data_folder"])).held_out
    model = AutoModelForCausalLM.from_pretrained(runs.root / name / "checkpoints" / f"step-{STEPS}")
    total, tokens = 0.0, 0
    with torch.no_grad():
        for number in range(len(part)):
            row = part.sequence(number)
            labels = torch.tensor(row.labels[None].astype("int64"))
            total += float(_summed(model(torch.tensor(row.ids[None].astype("int64"))).logits, labels))
            tokens += int((labels[:, 1:] != -100).sum())
    return total / tokens
