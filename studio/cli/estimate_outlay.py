"""The terminal's figures beside memory: FLOPs, time, cost and energy of a job, and the worked examples."""

from __future__ import annotations

from typing import Any

from remote_agent.contract.flops import flops_of
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory import Setup
from remote_agent.contract.memory.adapters import tuning_kinds
from remote_agent.contract.memory.examples import LLAMA_3_70B, worked_examples
from remote_agent.contract.memory.gpu_kinds import GpuKind
from remote_agent.contract.step_time import STATED, Span, StepTime, machine_of, run_cost, step_time
from studio.cli.desk import say, say_json
from studio.cli.words import amount

_SENTENCES = {
    "states_alone": "70B, AdamW, bf16 with fp32 master weights, all states: {size}",
    "states_of_8": "on each of 8 GPUs under ZeRO 3, more than 80 GB cards hold: {size}",
    "host_of_8": "what offloading the optimizer moves to the host: {size}",
    "host_needed": "what the host then holds in all: {size}",
    "least_gpus": "{gpus} GPUs of 80 GB hold it without offloading, one sequence of 4,096 tokens each: {size}",
    "states_of_64": 'where "20 GB a GPU" is true, states on each of 64 GPUs: {size}',
    "states_of_512": "405B, states on each of 512 GPUs: {size}",
    "on_top_of_512": "and what comes on top of them with one sequence of 4,096 tokens: {size}",
    "lora_weights": "frozen weights alone of LoRA for 70B: {size}",
    "qlora_weights": "frozen weights alone of QLoRA for 70B: {size}",
}


def examples(as_json: bool) -> None:
    """Say the worked examples with their sums, and full fine-tuning of 70B beside LoRA and QLoRA."""
    found, kinds = worked_examples(), tuning_kinds(LLAMA_3_70B)
    if as_json:
        say_json({"examples": [each._asdict() for each in found], "kinds": [kind._asdict() for kind in kinds]})
        return
    for each in found:
        size = f"{each.size / 1e9:,.1f} GB"
        say(f"{_SENTENCES[each.key].format(size=size, gpus=each.gpus)}   ({each.arithmetic})")
    say("")
    say("70B on one GPU before activations and logits, which all three need alike:")
    for kind in kinds:
        say(f"  {kind.kind:<6}{kind.total / 1e9:>9,.1f} GB   {amount(kind.trained)} parameters trained")
        for name, taken, arithmetic in kind.parts:
            say(f"    {name:<15}{taken / 1e9:>9,.2f} GB   {arithmetic}")


def step_of(spec: JobSpec, setup: Setup, kind: GpuKind) -> StepTime | None:
    """Return an update's time on a kind of GPU, None where its peak in the job's precision is not known."""
    machine = machine_of(kind, spec.strategy.precision)
    return step_time(setup, machine) if machine.peak_flops > 0.0 else None


def outlay(spec: JobSpec, setup: Setup, kind: GpuKind, updates: int, price: float) -> dict[str, Any]:
    """Return FLOPs, time, cost and energy as one JSON object; what is not known is left out."""
    flops = flops_of(setup)
    found: dict[str, Any] = {"flops_per_token": flops.model, "recomputed_flops_per_token": flops.recomputed}
    step = step_of(spec, setup, kind)
    if step is None:
        return found
    found["utilisation"] = STATED.share._asdict()
    found["step_s"] = step.seconds._asdict()
    found["bound_by"] = step.bound
    found["tokens_per_s_per_gpu"] = step.tokens_per_s_per_gpu._asdict()
    if updates:
        cost = run_cost(step, updates, setup.gpus, kind.watts, price or kind.usd_per_hour)
        found.update(updates=updates, hours=cost.hours._asdict(), energy_kwh=cost.energy_kwh._asdict())
        if cost.price.likely:
            found.update(cost=cost.price._asdict(), price_source="typed" if price else kind.price_source)
    return found


def say_outlay(spec: JobSpec, setup: Setup, kind: GpuKind, updates: int, price: float) -> None:
    """Say what `outlay` returns."""
    flops = flops_of(setup)
    say(f"FLOPs a token: {flops.model:.3g}, and {flops.recomputed:.3g} computed again.")
    step = step_of(spec, setup, kind)
    if step is None:
        say(f"{kind.name} has no {spec.strategy.precision} peak in the table, so that no time can be told.")
        return
    share = STATED.share
    say(f"An update, at {share.low:.0%} to {share.high:.0%} of the peak: {_span(step.seconds, 's')}; "
        f"{_span(step.tokens_per_s_per_gpu, 'tokens/s a GPU')}; most of it {step.bound}.")  # fmt: skip
    if not updates:
        return
    cost = run_cost(step, updates, setup.gpus, kind.watts, price or kind.usd_per_hour)
    say(f"{updates} updates: {_span(cost.hours, 'h')}; {_span(cost.energy_kwh, 'kWh of the GPUs')}.")
    if cost.price.likely:
        source = "the price typed" if price else kind.price_source
        say(f"Cost: {_span(cost.price, '' if price else 'USD')} ({source}).")
    else:
        say("Cost: give --price, the table has none for this GPU.")


def _span(span: Span, unit: str) -> str:
    return f"{span.likely:,.3g} {unit}".rstrip() + f" ({span.low:,.3g} to {span.high:,.3g})"
