"""The course of a run around its updates: what is measured, saved and answered when, the same on every rank."""

from __future__ import annotations

import contextlib
import errno
import shutil
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from transformers import TrainerCallback

from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.batch_arithmetic import BatchPlan
from remote_agent.contract.data_report import PreparedData
from remote_agent.contract.events import Complained, MemoryMeasured, TrainingEnded, TrainingStarted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory_probe import is_memory_probe
from remote_agent.contract.range_test import Divergence, is_range_test
from remote_agent.contract.recovery_spec import NONFINITE
from remote_agent.contract.run_dir import CHECKPOINTS
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from remote_agent.trainer.averaging import WeightAverage
from remote_agent.trainer.base_penalty import pull_to_base
from remote_agent.trainer.batches import BatchShape, Part
from remote_agent.trainer.checkpoints import bytes_needed, committed_event, restore, restore_universal, save_checkpoint
from remote_agent.trainer.collectives import gathered
from remote_agent.trainer.control import AMEND, EVALUATE, PAUSE, SAMPLE, SAVE, STOP
from remote_agent.trainer.early_stopping import Patience
from remote_agent.trainer.epoch_losses import MOST_DOCUMENTS, EpochLosses, LossHistory
from remote_agent.trainer.evaluation import evaluate, evaluated_event
from remote_agent.trainer.fine_tuner import FineTuner, Update
from remote_agent.trainer.liger_loss import liger_is_there
from remote_agent.trainer.live_amendments import take_amendments
from remote_agent.trainer.report import Report
from remote_agent.trainer.run_inputs import RunInputs
from remote_agent.trainer.sampling import samples
from remote_agent.trainer.spared_work import average_over_nobody
from remote_agent.trainer.step_telling import StepTelling
from remote_agent.trainer.universal import Place

MEASURED_AFTER = 5
"""Updates of an attempt after which memory is told of for the first time; at the end it is told of once more."""

_NEEDS_WEIGHTS = ("save", "evaluate", "sample", "pause")
"""The commands that are refused where the weights are spoilt."""


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
        resume: from where to go on, None for a fresh start.
        amended: the job with what was changed while the run went on.
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
        resume: Place | None,
        amended: AmendedJob,
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
        self._sampled_step = -1
        self._amended = amended
        self._updates = 0
        self._row_losses = EpochLosses() if prepared.train_rows <= MOST_DOCUMENTS else None
        self._loss_history = LossHistory(run_dir)
        rules = self._spec.regularization
        self._patience = Patience(rules.patience, rules.patience_threshold) if rules.patience else None
        self._average: WeightAverage | None = None
        self._divergence = Divergence(self._spec.schedule.divergence_factor) if is_range_test(self._spec) else None
        self._ended_early = ""
        self._telling = StepTelling(
            self._spec, attempt, report, plan.steps_per_epoch, minds_nonfinite=self._divergence is None
        )

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
        average_over_nobody(self._engine)
        self._begin_regularization()
        if self._resume is not None:
            first_step = self._resume.step
            self._restore(self._resume)
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
        self._telling.tell(step, self._tuner)
        gave_up = self._telling.gave_up
        if gave_up:
            # what the update left is not kept, measured or averaged
            self._report.done(self._tuner.commands, step, dict.fromkeys(_NEEDS_WEIGHTS, gave_up))
            control.should_training_stop = True
            return
        if update.wishes & AMEND:
            self._amend(step)
            control.should_training_stop = step >= self._plan.total_steps
        self._take(step, update)
        if self._do_due(step, update) or self._ended_early:
            control.should_training_stop = True

    def _take(self, step: int, update: Update) -> None:
        """Take what the update left for averages, losses of rows and the figures of memory."""
        if self._divergence is not None:
            self._ended_early = self._divergence.take(step, self._telling.loss, max(update.learning_rates))
        self._updates += 1
        if self._updates == MEASURED_AFTER:
            self._tell_memory(step)
        if self._average is not None and not update.skipped:
            self._average.take(step)
        if self._row_losses is not None:
            self._row_losses.take(update.row_losses)
            if step % self._plan.steps_per_epoch == 0:
                self._tell_row_losses(step)

    def _do_due(self, step: int, update: Update) -> bool:
        """Evaluate, save and sample as it is due or was commanded; say whether the ranks were told to end here."""
        assert self._tuner is not None
        saving, wishes = self._spec.checkpointing, update.wishes
        evaluates = _due(step, self._amended.evaluates_every(step)) and step < self._plan.total_steps
        if evaluates and self._patience is not None:
            # before the save, whose state has to hold what this evaluation said
            self._evaluate(step, counts=True)
        weights_due, state_due = _due(step, saving.weights_every_steps), _due(step, saving.state_every_steps)
        unsaved = ""
        if weights_due or state_due or wishes & SAVE:
            unsaved = self._save(step, with_state=bool(state_due or wishes & SAVE))
        if wishes & EVALUATE or evaluates:
            self._evaluate(step)
        pauses = bool(wishes & PAUSE) and not unsaved
        if wishes & SAMPLE or (evaluates and not pauses):
            self._sample(step)
        self._report.done(self._tuner.commands, step, {"pause": unsaved, "save": unsaved})
        return bool(wishes & STOP) or pauses

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep the final weights, measure them, and say how the run ended."""
        step = int(state.global_step)
        gave_up = self._telling.gave_up
        complete = not gave_up and (step >= self._plan.total_steps or bool(self._ended_early))
        if complete:
            if self._spec.checkpointing.save_at_end:
                self._save(step, with_state=False)
            if self._divergence is None and not is_memory_probe(self._spec):
                self._evaluate(step)
            self._sample(step)
        if self._row_losses is not None and self._row_losses.steps:
            self._tell_row_losses(step)
        self._tell_memory(step)
        reason, cause = (gave_up, NONFINITE) if gave_up else (self._ended_early, "")
        self._report.tell(TrainingEnded(self._attempt, step, complete, reason, cause))
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

    def _restore(self, place: Place) -> None:
        if place.universal is not None:
            self._restore_universal(place, place.universal)
            return
        kept = restore(self._engine, place.folder)
        if not kept:
            return
        if self._row_losses is not None and "rows" in kept:
            self._row_losses.restore(kept)
        if self._patience is not None:
            self._patience.restore(kept)
        if self._average is not None:
            self._average.restore(kept)

    def _restore_universal(self, place: Place, universal: Path) -> None:
        """Restore what other ranks wrote. Their averages cannot be divided anew, so such a run is refused before."""
        kept = restore_universal(self._engine, place.folder, universal, place.ranks)
        if self._row_losses is not None and kept and "rows" in kept[0]:
            self._row_losses.restore_all(kept, keeps=dist.get_rank() == 0)
        if self._patience is not None and kept:
            self._patience.restore(kept[0])

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
            planned_steps=self._amended.planned_steps,
        )

    def _amend(self, step: int) -> None:
        assert self._tuner is not None
        self._amended = take_amendments(
            self._tuner, self._amended, self._attempt, step, self._report, self._engine.device
        )
        self._plan = self._plan._replace(total_steps=self._amended.total_steps)

    def _tell_memory(self, step: int) -> None:
        """Say what the fullest rank has held, and what its tensors were before an update."""
        assert self._tuner is not None
        gauge = self._tuner.gauge
        peaks = gauge.peaks()
        mine = [*peaks, *gauge.tensors, gauge.before]
        ranks = gathered([float(size) for size in mine])
        peak, reserved, card, _, weights, gradients, optimizer, before = (int(size) for size in max(ranks))
        self._report.tell(
            MemoryMeasured(
                self._attempt, step, gauge.on_gpu, weights, gradients, optimizer, peak, reserved, card, before,
                host_bytes=int(sum(row[3] for row in ranks)),
            )
        )  # fmt: skip

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
        found = self._row_losses.gathered()
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

    def _save(self, step: int, with_state: bool) -> str:
        """Save unless this step is saved already. Where the disk has no room, say so and train on; at the end, fail.

        Returns:
            Why it could not be saved, a sentence; empty where it is.
        """
        if self._saved_step == step:
            return ""
        missing = self._missing_bytes(with_state)
        if missing > 0:
            sentence = (
                f"The checkpoint of step {step} needs {missing / 2**30:.1f} GiB more than the node's disk has free."
            )
            if step >= self._plan.total_steps:
                raise OSError(errno.ENOSPC, sentence, str(self._run_dir))
            self._report.tell(Complained("error", sentence + " Free some space; training goes on."))
            return sentence
        since_s = time.monotonic()
        self._report.progress("saving", 0, 1)
        saved = save_checkpoint(
            self._engine, self._run_dir, self._spec, self._inputs.launch.model_path, step, with_state,
            self._rank_state(), self._averaged(),
        )  # fmt: skip
        self._saved_step = step
        self._report.tell(committed_event(self._attempt, step, saved, with_state, since_s))
        self._report.sync()
        return ""

    def _missing_bytes(self, with_state: bool) -> float:
        """Return by how much the disk is too small for a checkpoint, as rank 0 sees it, 0 where it is not."""
        needed = bytes_needed(self._spec, self._parameters(), with_state)
        missing = needed - shutil.disk_usage(self._run_dir / CHECKPOINTS).free
        return max(0.0, gathered([float(missing)])[0][0])

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
                self._prepared.first_rows,
            )
        if counts and self._patience is not None:
            self._ended_early = self._patience.take(step, measured[0])
        self._report.tell(evaluated_event(self._attempt, step, measured, self._prepared.held_out_rows, started_s))

    def _sample(self, step: int) -> None:
        if self._sampled_step == step:
            return
        self._sampled_step = step
        if self._tokenizer is not None and self._spec.evaluation.sample_prompts:
            with self._averaged():
                for sampled in samples(self._engine, self._tokenizer, self._spec, self._attempt, step):
                    self._report.tell(sampled)


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
