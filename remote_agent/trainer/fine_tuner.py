"""transformers' Trainer, with our own order of rows, loss normalization, optimizer, schedule and figures."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.deepspeed_config import engine_clip_norm
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.schedule import Horizon
from remote_agent.trainer.batches import model_inputs, supervised_tokens, total_weight
from remote_agent.trainer.collectives import summed
from remote_agent.trainer.control import Command
from remote_agent.trainer.draws import draw_seed
from remote_agent.trainer.epoch_losses import MicroLosses
from remote_agent.trainer.memory_gauge import MemoryGauge
from remote_agent.trainer.optimizer import build_scheduler, make_optimizer
from remote_agent.trainer.optimizers.unstepped import Unstepped
from remote_agent.trainer.scheduler import RecipeScheduler
from remote_agent.trainer.spared_work import clip_by_known_norm
from remote_agent.trainer.step_clock import BACKWARD, COMMUNICATION, DATA, FORWARD, OPTIMIZER, StepClock


@dataclasses.dataclass
class Update:
    """What is known of the update in progress. ``loss`` is this rank's share of the global batch's mean."""

    started_s: float = 0.0
    tokens: int = 0
    supervised_tokens: int = 0
    loss: torch.Tensor | float = 0.0
    learning_rates: tuple[float, ...] = ()
    norm_on_device: torch.Tensor | float = 0.0
    """The gradient's norm as it was left there; ``gradient_norm`` once `read` has waited for it."""
    gradient_norm: float = 0.0
    loss_scale: float = 0.0
    """fp16's scale while the update's gradients were made, 0 in another precision."""
    skipped: bool = False
    """fp16's gradients overflowed, so the update changed nothing but the scale."""
    wishes: int = 0
    """What rank 0 read in control/, the bits of `control`."""
    row_losses: list[MicroLosses] = dataclasses.field(default_factory=list)
    """What this rank's micro batches gave for each of their tokens; left on the device until `read`."""

    def read(self) -> float:
        """Wait for the device, once an update, and return this rank's loss; norm and tokens' losses come with it."""
        loss = torch.as_tensor(self.loss)
        norm = self.norm_on_device
        on_device = isinstance(norm, torch.Tensor)
        parts = [loss, *([norm.to(loss.device)] if isinstance(norm, torch.Tensor) else [])]
        parts += [one.token_losses for one in self.row_losses]
        # float64 holds all of them as they are
        read = torch.cat([part.detach().reshape(-1).double() for part in parts]).cpu()
        figures = read[: 1 + on_device].tolist()
        self.gradient_norm = figures[1] if on_device else float(norm)
        sizes = [one.token_losses.numel() for one in self.row_losses]
        tokens = torch.split(read[1 + on_device :], sizes)
        pairs = zip(self.row_losses, tokens, strict=True)
        self.row_losses = [one._replace(token_losses=losses) for one, losses in pairs]
        return float(figures[0])


class FineTuner(Trainer):  # type: ignore[misc]
    """A Trainer whose every number is ours.

    Args:
        spec: the job.
        model: ends in the loss, as `causal_model.end_in_loss` makes it.
        arguments: transformers' arguments, from `training_arguments`.
        loader: this rank's micro batches from ``first_step`` on.
        first_step: updates done before.
        horizon: the length of the whole run.
        look_for_commands: returns the commands that are new; only rank 0 has any.
        gauge: measures this rank's memory.
        clock: measures the parts of an update.
        amended: the job with what was changed while the run went on.
    """

    optimizer: Any
    lr_scheduler: Any

    def __init__(
        self,
        spec: JobSpec,
        model: Any,
        arguments: TrainingArguments,
        loader: Any,
        first_step: int,
        horizon: Horizon,
        look_for_commands: Callable[[], list[Command]],
        gauge: MemoryGauge,
        clock: StepClock,
        amended: AmendedJob,
    ) -> None:
        super().__init__(model=model, args=arguments)
        self.remove_callback(PrinterCallback)
        self.add_callback(Unstepped)
        self.model_accepts_loss_kwargs = True
        self.update = Update()
        self.commands: list[Command] = []
        self.gauge, self.clock = gauge, clock
        self._amended = amended
        self._look_for_commands = look_for_commands
        self._spec = spec
        self._loader = loader
        self._first_step = first_step
        self._horizon = horizon
        self._scheduler: RecipeScheduler | None = None

    def get_train_dataloader(self) -> Any:
        """Return our loader as it is: accelerate would divide or reorder what it prepares."""
        return self._loader

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Make the job's optimizer; DeepSpeed gets it as a client optimizer."""
        if self.optimizer is None:
            self.optimizer = make_optimizer(self.model, self._spec)
        optimizer: torch.optim.Optimizer = self.optimizer
        return optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Make the job's schedule, beginning at the first step of this attempt."""
        if self.lr_scheduler is None:
            chosen = optimizer or self.optimizer
            self._scheduler = build_scheduler(chosen, self._spec, self._first_step, self._horizon, self._amended)
            self.lr_scheduler = self._scheduler
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def put_schedule_back(self) -> None:
        """Let the schedule alone decide, after the engine brought back rate, decay and momentum of an update before."""
        assert self._scheduler is not None
        self._scheduler.put_back()

    def amend(self, amended: AmendedJob) -> None:
        """Let the updates to come go by the job as it stands now."""
        assert self._scheduler is not None
        self._scheduler.amend(amended)
        self.state.max_steps = amended.total_steps

    def get_batch_samples(
        self, epoch_iterator: Iterator[dict[str, Any]], num_batches: int, device: torch.device
    ) -> tuple[list[dict[str, Any]], torch.Tensor]:
        """Take an update's micro batches and agree with all ranks on its token counts and on what was commanded.

        The loss is divided by what the labels of the global batch weigh, which is their number where the data has no
        weights.
        """
        started_s = time.monotonic()
        self.clock.begin()
        with self.clock.part(DATA):
            batches = [next(epoch_iterator) for _ in range(num_batches)]
        tokens = sum(batch.pop("tokens") for batch in batches)
        supervised = sum(supervised_tokens(batch) for batch in batches)
        weight = sum(total_weight(batch) for batch in batches)
        new = self._look_for_commands()
        self.commands = new
        wishes = 0
        for command in new:
            wishes |= command.wishes
        with self.clock.part(COMMUNICATION):
            *counts, all_weight = summed([supervised, tokens, wishes, weight])
        all_supervised, all_tokens, all_wishes = (int(count) for count in counts)
        self.update = Update(started_s, all_tokens, all_supervised, wishes=all_wishes)
        # filled there: a number that is copied there would wait for what the device is doing
        return batches, torch.full((), all_weight or 1.0, device=device)

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Do a micro batch, and the update where it is the last of it. The learning rate is read before."""
        model.train()
        self.update.learning_rates = tuple(group["lr"] for group in self.optimizer.param_groups)
        taken = self._on_device(inputs) | self._drawn(inputs)
        with self.clock.part(FORWARD):
            loss, found = self.compute_loss(model, taken, return_outputs=True, num_items_in_batch=num_items_in_batch)
        self.update.row_losses.append(MicroLosses(inputs["row_ids"], inputs["row_labels"], found["token_losses"]))
        last = self.accelerator.sync_gradients
        model.set_gradient_accumulation_boundary(is_boundary=last)
        with self.clock.part(BACKWARD):
            model.backward(loss, scale_wrt_gas=False)
        # DeepSpeed averages over the ranks, so compute_loss has multiplied by their number
        self.update.loss = self.update.loss + loss.detach().double() / self.accelerator.num_processes
        if last:
            self._step(model)
        detached: torch.Tensor = loss.detach()
        return detached

    def _on_device(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return what the forward takes of a micro batch, on its way to the device: nobody waits for it to be there."""
        taken = {**model_inputs(inputs), "places": inputs["places"]}
        if "weights" in inputs:
            taken["weights"] = inputs["weights"]
        return {name: value.to(self.args.device, non_blocking=True) for name, value in taken.items()}

    def _clip_grad_norm(self, model: Any) -> None:
        """Do nothing: the engine has clipped, and the Trainer would wait for the norm, which `Update.read` brings."""

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> None:
        """Leave the norm on the device, as `_clip_grad_norm` does."""

    def _drawn(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Seed what this micro batch draws, dropout too, and return what the model's forward needs for the rest."""
        draw = draw_seed(
            self._spec.seed, self.state.global_step, len(self.update.row_losses), self.accelerator.process_index
        )
        torch.manual_seed(draw)
        return {"draw": draw, "row_tokens": inputs["row_tokens"].to(self.args.device, non_blocking=True)}

    def _step(self, engine: Any) -> None:
        """Let the engine update the weights and note the gradient's norm and what fp16's loss scale did."""
        update = self.update
        update.loss_scale = float(engine.optimizer.loss_scale) if engine.fp16_enabled() else 0.0
        own_norm: torch.Tensor | float = 0.0
        if engine.zero_optimization_stage() == 0:
            own_norm = _own_gradient_norm(engine) / (update.loss_scale or 1.0)
            clip_by_known_norm(engine, own_norm)
        self.gauge.before_update(engine)
        skipped_before = engine.skipped_steps
        with self.clock.part(OPTIMIZER):
            engine.step()
        norm = engine.get_global_grad_norm()
        update.skipped = engine.skipped_steps > skipped_before
        if update.skipped:
            update.norm_on_device = math.inf
            # the Trainer leaves the schedule where it is after a skipped update, and ours is a function of the step
            self.lr_scheduler.step()
        else:
            update.norm_on_device = own_norm if norm is None else norm

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Count nothing: we report tokens."""
        return 0


def _own_gradient_norm(engine: Any) -> torch.Tensor:
    """Return the norm of the averaged gradients, which DeepSpeed keeps to itself at stage 0, left on the device."""
    gradients = [parameter.grad for parameter in engine.module.parameters() if parameter.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def training_arguments(
    spec: JobSpec, engine_config: dict[str, Any], scratch: str, total_steps: int, use_gpu: bool
) -> TrainingArguments:
    """Return transformers' arguments: the engine's configuration, and everything the Trainer does by itself off."""
    return TrainingArguments(
        output_dir=scratch,
        per_device_train_batch_size=spec.batch.micro_batch,
        gradient_accumulation_steps=spec.batch.accumulation,
        max_steps=total_steps,
        max_grad_norm=engine_clip_norm(spec),
        learning_rate=spec.optimizer.learning_rate,
        seed=spec.seed,
        bf16=spec.strategy.precision == "bf16",
        fp16=spec.strategy.precision == "fp16",
        use_cpu=not use_gpu,
        deepspeed=engine_config,
        average_tokens_across_devices=True,
        logging_nan_inf_filter=False,
        logging_strategy="no",
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        log_level="warning",
    )
