"""The course of a run around its updates: what is measured, saved and answered when, the same on every rank."""

from __future__ import annotations

import contextlib
import errno
import math
import resource
import shutil
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from transformers import TrainerCallback

from remote_agent.contract.batch_arithmetic import BatchPlan
from remote_agent.contract.data_report import PreparedData
from remote_agent.contract.events import Complained, StepCompleted, TrainingEnded, TrainingStarted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from remote_agent.trainer.averaging import WeightAverage
from remote_agent.trainer.base_penalty import pull_to_base
from remote_agent.trainer.batches import BatchShape, Part
from remote_agent.trainer.checkpoints import bytes_needed, committed_event, restore, save_checkpoint
from remote_agent.trainer.collectives import gathered
from remote_agent.trainer.control import EVALUATE, SAVE, STOP
from remote_agent.trainer.early_stopping import Patience
from remote_agent.trainer.epoch_losses import MOST_DOCUMENTS, EpochLosses, LossHistory
from remote_agent.trainer.evaluation import evaluate, evaluated_event
from remote_agent.trainer.fine_tuner import FineTuner
from remote_agent.trainer.liger_loss import liger_is_there
from remote_agent.trainer.report import Report
from remote_agent.trainer.run_inputs import RunInputs
from remote_agent.trainer.sampling import samples


class Course(TrainerCallback):  # type: ignore[misc]
    """Called by the Trainer at the start, after each update and at the end.

    Args:
        inputs: the job and how it was launched.
        run_dir: the run directory.
        attempt: counts the starts of the ranks.
        report: rank 0's journal, silent on the others.
        plan: the run's length.
        prepared: what was prepared, for its counts.
        held_out: the sequences that are never trained on.
        shape: how they become tensors.
        tokenizer: for the samples.
        resume: the folder to go on from and the updates already done, None for a fresh start.
    """

    def __init__(
        self,
        inputs: RunInputs,
        run_dir: Path,
        attempt: int,
        report: Report,
        plan: BatchPlan,
        prepared: PreparedData,
        held_out: Part,
        shape: BatchShape,
        tokenizer: ModelTokenizer | None,
        resume: tuple[Path, int] | None,
    ) -> None:
        self._inputs = inputs
        self._spec: JobSpec = inputs.spec
        self._run_dir = run_dir
        self._attempt = attempt
        self._report = report
        self._plan = plan
        self._prepared = prepared
        self._held_out = held_out
        self._shape = shape
        self._tokenizer = tokenizer
        self._resume = resume
        self._tuner: FineTuner | None = None
        self._saved_step = -1
        self._evaluated_step = -1
        self._saw_nonfinite = False
        self._skipped_steps = 0
        self._row_losses = EpochLosses() if prepared.train_rows <= MOST_DOCUMENTS else None
        self._loss_history = LossHistory(run_dir)
        rules = self._spec.regularization
        self._patience = Patience(rules.patience, rules.patience_threshold) if rules.patience else None
        self._average: WeightAverage | None = None
        self._ended_early = ""

    def drive(self, tuner: FineTuner) -> None:
        """Train to the end of the run or until it is told to stop."""
        self._tuner = tuner
        tuner.add_callback(self)
        tuner.train()

    @property
    def _engine(self) -> Any:
        assert self._tuner is not None
        return self._tuner.model_wrapped

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Restore what a resume needs, say that training starts, and measure the model as it is."""
        tuner = self._tuner
        assert tuner is not None
        first_step = 0
        self._begin_regularization()
        if self._resume is not None:
            folder, first_step = self._resume
            self._restore(folder)
            state.global_step = first_step
            tuner.put_schedule_back()
        self._report.tell(self._started(first_step))
        self._begin_history(first_step)
        if first_step == 0 and self._spec.evaluation.at_start:
            self._evaluate(0, counts=True)
        if first_step == 0:
            self._sample(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report the update, then do what is due or was commanded."""
        assert self._tuner is not None
        step, update = int(state.global_step), self._tuner.update
        self._tell_step(step)
        if self._average is not None and not update.skipped:
            self._average.take(step)
        if self._row_losses is not None:
            self._row_losses.take(update.row_losses)
            if step % self._plan.steps_per_epoch == 0:
                self._tell_row_losses(step)
        saving, evaluation = self._spec.checkpointing, self._spec.evaluation
        evaluates = _due(step, evaluation.every_steps) and step < self._plan.total_steps
        if evaluates and self._patience is not None:
            # before the save, whose state has to hold what this evaluation said
            self._evaluate(step, counts=True)
        weights_due, state_due = _due(step, saving.weights_every_steps), _due(step, saving.state_every_steps)
        commanded = bool(update.wishes & SAVE)
        if weights_due or state_due or commanded:
            self._save(step, with_state=state_due or commanded)
        if update.wishes & EVALUATE or evaluates:
            self._evaluate(step)
        self._report.done(self._tuner.commands, step)
        if update.wishes & STOP or self._ended_early:
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep the final weights, measure them, and say how the run ended."""
        step = int(state.global_step)
        complete = step >= self._plan.total_steps or bool(self._ended_early)
        if complete:
            if self._spec.checkpointing.save_at_end:
                self._save(step, with_state=False)
            self._evaluate(step)
            self._sample(step)
        if self._row_losses is not None and self._row_losses.steps:
            self._tell_row_losses(step)
        self._report.tell(TrainingEnded(self._attempt, step, complete, self._ended_early))
        self._report.sync()

    def _begin_regularization(self) -> None:
        """Take the base weights and make room for an average, before a resume changes the weights."""
        rules = self._spec.regularization
        if rules.base_penalty > 0.0:
            pull_to_base(self._engine, rules.base_penalty)
        if rules.averaging != "none":
            self._average = WeightAverage(self._engine, rules, self._plan.total_steps)
        if self._spec.strategy.loss_kernel == "liger" and not liger_is_there():
            self._report.tell(
                Complained(
                    "warning", "Liger's fused loss needs a GPU and the package liger-kernel; the lean loss runs."
                )
            )

    def _restore(self, folder: Path) -> None:
        kept = restore(self._engine, folder)
        if not kept:
            return
        if self._row_losses is not None and "rows" in kept:
            self._row_losses.restore(kept)
        if self._patience is not None:
            self._patience.restore(kept)
        if self._average is not None:
            self._average.restore(kept)

    def _rank_state(self) -> dict[str, torch.Tensor]:
        holders = (self._row_losses, self._patience, self._average)
        return {name: value for one in holders if one is not None for name, value in one.state().items()}

    def _averaged(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext() if self._average is None else self._average.in_place()

    def _started(self, first_step: int) -> TrainingStarted:
        return TrainingStarted(
            attempt=self._attempt,
            first_step=first_step,
            total_steps=self._plan.total_steps,
            steps_per_epoch=self._plan.steps_per_epoch,
            world_size=self._spec.strategy.ranks,
            parameters=self._parameters(),
            train_sequences=self._prepared.train_sequences,
            held_out_sequences=self._prepared.held_out_sequences,
            train_tokens=self._prepared.train_tokens,
        )

    def _tell_step(self, step: int) -> None:
        assert self._tuner is not None
        update = self._tuner.update
        ranks = gathered([float(update.loss), _peak_memory_bytes(self._inputs.launch.use_gpu)], self._engine.device)
        loss = sum(row[0] for row in ranks)
        self._skipped_steps += update.skipped
        seconds = time.monotonic() - update.started_s
        if not math.isfinite(loss) and not self._saw_nonfinite:
            self._saw_nonfinite = True
            self._report.tell(
                Complained(
                    "error", f"The loss is {loss} at step {step}; a lower learning rate or a longer warmup may help."
                )
            )
        self._report.tell(
            StepCompleted(
                attempt=self._attempt,
                step=step,
                loss=loss,
                learning_rate=update.learning_rates[0],
                gradient_norm=update.gradient_norm,
                tokens=update.tokens,
                supervised_tokens=update.supervised_tokens,
                tokens_per_s=update.tokens / seconds,
                step_time_s=seconds,
                peak_memory_bytes=int(max(row[1] for row in ranks)),
                epoch=step / self._plan.steps_per_epoch,
                learning_rates=update.learning_rates if len(set(update.learning_rates)) > 1 else (),
                loss_scale=update.loss_scale,
                skipped_steps=self._skipped_steps,
            )
        )

    def _begin_history(self, first_step: int) -> None:
        """Take up the rows' losses where the checkpoint's epoch left them, on the rank that writes them."""
        if dist.get_rank() != 0:
            return
        if self._row_losses is None:
            self._report.tell(
                Complained(
                    "warning",
                    f"Losses of single rows are not kept: there are more than {MOST_DOCUMENTS:,} in an epoch.",
                )
            )
        elif not self._loss_history.go_on_after(first_step // self._plan.steps_per_epoch):
            self._report.tell(
                Complained(
                    "warning",
                    "The rows' losses of earlier epochs are not in this run's folder: which rows were learnt and "
                    "forgotten is counted from this epoch on.",
                )
            )

    def _tell_row_losses(self, step: int) -> None:
        """Put the epoch's losses of rows together, which every rank takes part in, and have them written."""
        assert self._row_losses is not None
        complete = self._row_losses.steps == self._plan.steps_per_epoch
        found = self._row_losses.gathered(self._engine.device)
        if dist.get_rank() != 0 or not len(found[0]):
            return
        epoch = -(-step // self._plan.steps_per_epoch)
        try:
            self._report.tell(self._loss_history.add(found, self._attempt, step, epoch, complete))
        except OSError as error:
            self._report.tell(
                Complained(
                    "warning",
                    f"The rows' losses of epoch {epoch} cannot be kept ({error.strerror or error}); training goes on.",
                )
            )

    def _save(self, step: int, with_state: bool) -> None:
        """Save unless this step is saved already. Where the disk has no room, say so and train on; at the end, fail."""
        if self._saved_step == step:
            return
        missing = self._missing_bytes(with_state)
        if missing > 0:
            sentence = (
                f"The checkpoint of step {step} needs {missing / 2**30:.1f} GiB more than the node's disk has free."
            )
            if step >= self._plan.total_steps:
                raise OSError(errno.ENOSPC, sentence, str(self._run_dir))
            self._report.tell(Complained("error", sentence + " Free some space; training goes on."))
            return
        since_s = time.monotonic()
        self._report.progress("saving", 0, 1)
        saved = save_checkpoint(
            self._engine, self._run_dir, self._spec, self._inputs.launch.model_path, step, with_state,
            self._rank_state(), self._averaged(),
        )  # fmt: skip
        self._saved_step = step
        self._report.tell(committed_event(self._attempt, step, saved, with_state, since_s))
        self._report.sync()

    def _missing_bytes(self, with_state: bool) -> float:
        """Return by how much the disk is too small for a checkpoint, as rank 0 sees it, 0 where it is not."""
        needed = bytes_needed(self._spec, self._parameters(), with_state)
        missing = needed - shutil.disk_usage(self._run_dir).free
        return max(0.0, gathered([float(missing)], self._engine.device)[0][0])

    def _parameters(self) -> int:
        # under ZeRO-3 a parameter's own size is that of this rank's share
        return sum(int(getattr(one, "ds_numel", one.numel())) for one in self._engine.module.parameters())

    def _evaluate(self, step: int, counts: bool = False) -> None:
        """Measure the weights that a save would keep; where it ``counts``, the loss may end the run."""
        if self._evaluated_step == step or len(self._held_out) == 0:
            return
        self._evaluated_step = step
        started_s = time.monotonic()
        with self._averaged():
            measured = evaluate(
                self._engine,
                self._held_out,
                self._spec.evaluation.micro_batch,
                self._shape,
                lambda done, total: self._report.progress("evaluating", done, total, "sequences"),
            )
        if counts and self._patience is not None:
            self._ended_early = self._patience.take(step, measured[0])
        self._report.tell(evaluated_event(self._attempt, step, measured, self._prepared.held_out_rows, started_s))

    def _sample(self, step: int) -> None:
        if self._tokenizer is not None and self._spec.evaluation.sample_prompts:
            with self._averaged():
                for sampled in samples(self._engine, self._tokenizer, self._spec, self._attempt, step):
                    self._report.tell(sampled)


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def _peak_memory_bytes(use_gpu: bool) -> float:
    """Return the most that this rank has held: on its GPU, else in the host's memory."""
    if use_gpu:
        return float(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
