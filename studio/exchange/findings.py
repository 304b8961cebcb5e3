"""What whoever wrote a configuration may not know of it: the arithmetic of the run, and what its settings come to."""

from __future__ import annotations

from remote_agent.contract.batch_arithmetic import BatchPlan
from remote_agent.contract.problem import Fix
from remote_agent.contract.schedule import warmup_steps
from studio.exchange.reader import Reader
from studio.exchange.training_arguments import plan


def find_all(reader: Reader, claimed_global_batch: int, gpus_known: bool) -> None:
    """Add the findings about the finished job, in the order in which a run meets them; those made so far stay."""
    arithmetic = plan(reader)
    _of_batch(reader, arithmetic, claimed_global_batch, gpus_known)
    if arithmetic.total_steps:
        _of_warmup(reader, arithmetic.total_steps)
        _of_saving(reader, arithmetic.total_steps)
    if reader.spec.data.train_on == "all" and reader.spec.data.shape != "text":
        reader.find(
            "data.train_on",
            "The prompt would be in the labels: every token is learnt, the prompt's as well as the answer's.",
            Fix("Learn the answers only", (("data.train_on", "assistant"),)),
        )
    if not reader.spec.data.held_out_path and reader.spec.data.held_out_fraction == 0:
        reader.find(
            "data.held_out_fraction",
            "There is no held-out part, so the run cannot tell learning from memorising.",
            Fix("Set aside 10 %", (("data.held_out_fraction", 0.1),)),
        )
    if reader.has("device_map"):
        reader.drop("device_map", "It lays one model over several GPUs; here ZeRO splits it over the processes.")
        reader.find(
            "strategy.zero_stage",
            f"device_map {reader.raw('device_map')!r} is dropped: it lays one model over several GPUs, which does "
            "not go with one process a GPU.",
        )


def _of_batch(reader: Reader, arithmetic: BatchPlan, claimed: int, gpus_known: bool) -> None:
    batch, ranks = reader.spec.batch, reader.spec.strategy.ranks
    if claimed and 0 < arithmetic.global_batch != claimed:
        per_rank = batch.micro_batch * batch.accumulation
        gpus, rest = divmod(claimed, per_rank)
        hint = f"no number of GPUs would give {claimed:,}" if rest else f"{gpus:,} GPUs would give {claimed:,}"
        reader.find(
            "batch.accumulation",
            f"The global batch is {arithmetic.global_batch:,}: {batch.micro_batch:,} x {batch.accumulation:,} on "
            f"{ranks:,} GPUs; {hint}.",
            _to_claimed(claimed, batch.micro_batch * ranks),
        )
    if not gpus_known:
        reader.find(
            "strategy.ranks",
            f"The file does not say on how many GPUs it ran; with {ranks} the global batch is "
            f"{arithmetic.global_batch:,}.",
        )


def _to_claimed(claimed: int, micro_batches: int) -> Fix | None:
    """Return the click that accumulates so that the claim becomes true on the GPUs at hand."""
    accumulation, rest = divmod(claimed, micro_batches)
    return None if rest else Fix(f"Accumulate {accumulation}", (("batch.accumulation", accumulation),))


def _of_warmup(reader: Reader, total: int) -> None:
    steps = warmup_steps(reader.spec.schedule, total)
    if steps > total:
        reader.find(
            "schedule.warmup.amount",
            f"The warmup of {steps:,} steps exceeds the {total:,} steps of the run, so that the peak is never reached.",
            Fix("Use 10 percent", (("schedule.warmup.amount", 10.0), ("schedule.warmup.unit", "percent"))),
        )


def _of_saving(reader: Reader, total: int) -> None:
    saving = reader.spec.checkpointing
    every = saving.state_every_steps or saving.weights_every_steps
    path = "checkpointing.state_every_steps" if saving.state_every_steps else "checkpointing.weights_every_steps"
    if every > total:
        new = max(1, total // 4)
        reader.find(
            path,
            f"No checkpoint would be written: saving every {every:,} steps never comes in a run of {total:,}.",
            Fix(f"Every {new}", ((path, new),)),
        )
