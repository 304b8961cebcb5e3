"""How long an update takes, what a run costs and what energy it takes: a roofline, told as an interval.

An update is bound by arithmetic, by reading weights, and by what travels between GPUs, to the host and to its disk
(Williams et al., Roofline, CACM 2009). How much of the peak the arithmetic reaches is stated, or measured on the node.
At best communication hides behind arithmetic, at worst none does; both ends are told.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Sequence, Tuple

from remote_agent.contract.flops import flops_of
from remote_agent.contract.memory.gpu_kinds import GpuKind
from remote_agent.contract.memory.setup import Setup


class Span(NamedTuple):
    """A likely figure and the interval around it."""

    likely: float
    low: float
    high: float

    def times(self, factor: float) -> "Span":
        """Return all three times a factor."""
        return Span(self.likely * factor, self.low * factor, self.high * factor)


class Utilisation(NamedTuple):
    """The share of the peak that the arithmetic reaches, recomputation counted; ``measured`` with all that travels."""

    share: Span
    measured: bool = False


STATED = Utilisation(Span(0.52, 0.29, 0.72))
"""What published runs reach while they compute, causal attention counted half.

24 published rates of 1B to 8B models lie inside with this: one to four A100 near the likely figure and above it, eight
H100 under FSDP, not compiled, at the low end. It is fitted to them, not foretold.
"""
MEASURED_SPREAD = 0.1
"""Runs on the same node are taken to come within a tenth of each other."""


LINK_SHARE = 0.75
"""How much of a link's peak a collective gets; assumed."""


class Machine(NamedTuple):
    """What a roofline needs to know of one GPU and what it hangs on: FLOP/s, bytes a second one way, watts.

    Attributes:
        peak_flops: dense peak in the precision that computes.
        bandwidth: of the GPU's memory.
        interconnect: between GPUs of a node, one GPU's share.
        network: between nodes, one GPU's share; assumed 25 GB/s (400 Gbit/s for two GPUs) where nobody says.
        host_link: from a GPU to host memory.
        cpu_update: parameters a second one node's CPU updates under AdamW (ZeRO-Offload, arXiv:2101.06840, table 4).
        nvme: of a node's disks together.
        watts: the board's limit.
    """

    peak_flops: float
    bandwidth: float
    interconnect: float
    network: float = 25e9
    host_link: float = 25e9
    cpu_update: float = 4e9
    nvme: float = 6e9
    watts: float = 0.0


class StepTime(NamedTuple):
    """An update's time in seconds, and what it is made of.

    Attributes:
        seconds: the interval.
        terms: seconds by term at the likely utilisation, before any of it hides behind another.
        bound: the term that takes the most.
        tokens: tokens of the update over all GPUs.
        tokens_per_s_per_gpu: the rate that follows.
        flops_per_s: one GPU's model FLOP/s, recomputation not counted.
    """

    seconds: Span
    terms: Tuple[Tuple[str, float], ...]
    bound: str
    tokens: int
    tokens_per_s_per_gpu: Span
    flops_per_s: Span


class RunCost(NamedTuple):
    """A whole run: hours, money (0 where no price is known) and kilowatt-hours of the GPUs alone."""

    hours: Span
    price: Span
    energy_kwh: Span


def machine_of(kind: GpuKind, precision: str = "bf16") -> Machine:
    """Return what is known of a kind of GPU; the peak is 0 where the table has none for ``precision``.

    Args:
        kind: of the shipped table.
        precision: "bf16", "fp16" or "fp32", the job's.
    """
    peak = kind.peak(precision)
    link = 55e9 if "5.0" in kind.interconnect else 25e9
    return Machine(peak, kind.bandwidth, kind.interconnect_bandwidth, host_link=link, watts=kind.watts)


def measured_utilisation(rates: Sequence[float], setup: Setup, peak_flops: float) -> Utilisation:
    """Return the utilisation that measured runs on a node reached, to stand in place of `STATED`.

    Args:
        rates: tokens a second of one GPU, of one or more runs that ``setup`` describes.
        setup: what was measured.
        peak_flops: the GPU's peak.

    Raises:
        ValueError: there is no positive rate, no peak, or the rate is above what the hardware can do.
    """
    usable = sorted(rate for rate in rates if 0.0 < rate < math.inf)
    if not usable or peak_flops <= 0.0:
        raise ValueError("A utilisation needs a measured rate and the GPU's peak.")
    each = _computed(setup) / peak_flops
    likely = usable[len(usable) // 2] * each
    if likely > 1.0:
        raise ValueError("The measured rate is above the GPU's peak: tokens, time or the kind of GPU are wrong.")
    low, high = usable[0] * each, min(1.0, usable[-1] * each)
    spread = Span(likely, min(low, likely * (1 - MEASURED_SPREAD)), max(high, min(1.0, likely * (1 + MEASURED_SPREAD))))
    return Utilisation(spread, measured=True)


def step_time(setup: Setup, machine: Machine, utilisation: Utilisation = STATED) -> StepTime:
    """Return an update's time, all accumulated micro batches together.

    Attention is taken to be causal: half of the positions, unless it is eager, which computes them all.

    Raises:
        ValueError: the machine's peak is not known.
    """
    if machine.peak_flops <= 0.0:
        raise ValueError("The GPU's peak in this precision is not known, so that no time can be told.")
    tokens = setup.tokens * setup.accumulation
    arithmetic = _computed(setup) * tokens / machine.peak_flops
    reading = _reading(setup, machine)
    travels = {} if utilisation.measured else {
        "communication": _communication(setup, machine), "host": _host(setup, machine),
    }  # fmt: skip
    update = 0.0 if utilisation.measured else _update(setup, machine)
    on_way = sum(travels.values())
    share = utilisation.share

    def compute(at: float) -> float:
        return max(arithmetic / at, reading)

    best = max(compute(share.high), on_way) + update
    worst = compute(share.low) + on_way + update
    likely = compute(share.likely)
    seconds = Span((max(likely, on_way) + likely + on_way) / 2.0 + update, best, worst)
    terms = (
        ("arithmetic", arithmetic / share.likely), ("reading weights", reading), *travels.items(), ("update", update),
    )  # fmt: skip
    rate = Span(tokens / seconds.likely, tokens / seconds.high, tokens / seconds.low)
    model = flops_of(setup).model
    return StepTime(
        seconds,
        tuple(term for term in terms if term[1] > 0.0),
        max(terms, key=lambda term: term[1])[0],
        tokens * setup.gpus,
        rate,
        rate.times(model),
    )


def run_cost(step: StepTime, updates: int, gpus: int, watts: float, price_per_gpu_hour: float = 0.0) -> RunCost:
    """Return what a run of so many updates takes: training alone, without preparing, evaluating and saving.

    Args:
        step: an update's time.
        updates: of the run.
        gpus: that are paid for.
        watts: a board's limit; between 60 and 100 % of it is drawn while training (assumed), 85 % likely.
        price_per_gpu_hour: in any currency; 0: not known.

    Raises:
        ValueError: a count is negative, or a figure is not finite.
    """
    if min(updates, gpus, watts, price_per_gpu_hour) < 0 or not math.isfinite(watts + price_per_gpu_hour):
        raise ValueError("Updates, GPUs, watts and price have to be finite and not negative.")
    hours = step.seconds.times(updates / 3600.0)
    kilowatts = gpus * watts / 1000.0
    energy = Span(hours.likely * kilowatts * 0.85, hours.low * kilowatts * 0.6, hours.high * kilowatts)
    return RunCost(hours, hours.times(gpus * price_per_gpu_hour), energy)


def _computed(setup: Setup) -> float:
    """Return the FLOPs a token that kernels really run: causal ones skip what lies ahead, eager attention does not."""
    return flops_of(setup, setup.seq_len / 2.0 if setup.attention == "flash" else float(setup.seq_len)).computed


def _reading(setup: Setup, machine: Machine) -> float:
    """Return the seconds in which layers' and head's weights are read, once a pass: small batches wait for it."""
    shape = setup.shape
    elements = (shape.linear or shape.layer * shape.layers) + shape.embedding
    passes = 3.0 if setup.checkpointing == "none" else 4.0
    return passes * setup.accumulation * setup.bytes_of.compute * elements / machine.bandwidth


def _update(setup: Setup, machine: Machine) -> float:
    """Return the seconds the optimizer's step takes on the GPU: gradients read, weights and states read and written."""
    if setup.offload_optimizer:
        return 0.0
    widths = setup.bytes_of
    each = widths.gradients + 2.0 * (widths.weights + widths.master + widths.moment * setup.moments)
    return each * setup.trained * setup.shape.parameters / setup.split_states / machine.bandwidth


def _communication(setup: Setup, machine: Machine) -> float:
    """Return the seconds that weights and gradients travel between GPUs (Rajbhandari et al., arXiv:1910.02054, 7)."""
    if setup.gpus == 1 or setup.strategy == "single":
        return 0.0
    width, often = setup.bytes_of.compute, setup.accumulation
    reduced, gathered = setup.trained * width, float(width)
    if setup.split_weights > 1:
        volume = often * (2.0 * gathered + reduced)
    elif setup.strategy == "zero" and setup.zero_stage == 2:
        volume = often * reduced + gathered
    else:
        volume = reduced + gathered
    link = machine.interconnect if setup.nodes == 1 else min(machine.interconnect, machine.network)
    sent = volume * setup.shape.parameters * (setup.gpus - 1) / setup.gpus
    return sent / (link * LINK_SHARE)


def _host(setup: Setup, machine: Machine) -> float:
    """Return the seconds that offloading takes: over the link, on the CPU, and from and to the disk."""
    widths, parameters = setup.bytes_of, float(setup.shape.parameters)
    share, of_node = parameters / setup.gpus, parameters / max(1, setup.nodes)
    found = 0.0
    if setup.offload_optimizer:
        downs = setup.accumulation if setup.zero_stage >= 2 else 1
        found += setup.trained * share * (downs * widths.gradients + widths.compute) / machine.host_link
        found += setup.trained * of_node / machine.cpu_update
        if setup.optimizer_on_nvme:
            states = widths.master + widths.moment * setup.moments
            found += 2.0 * setup.trained * of_node * states / machine.nvme
    if setup.offload_parameters:
        found += 2.0 * setup.accumulation * share * widths.compute / machine.host_link
        if setup.parameters_on_nvme:
            found += (2.0 * setup.accumulation + 1.0) * of_node * widths.compute / machine.nvme
    return found
