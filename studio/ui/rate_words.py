"""What a rate of tokens comes to in FLOP/s, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remote_agent.contract.throughput import Throughput
from studio.ui import words
from studio.ui.translation import told
from studio.ui.words import translated

if TYPE_CHECKING:
    from studio.session.memory_runs import MemoryRuns


def flops_words(found: Throughput, on_gpu: bool) -> str:
    """Return the model's FLOP/s of a GPU, or of a process where there is none, and the MFU where a peak is known."""
    # a process of a small model does far less than a TFLOP/s, which must not read as nothing
    rate = words.short_number(float(f"{found.tflops:.3g}"))
    said = (translated("{} TFLOP/s a GPU") if on_gpu else translated("{} TFLOP/s a process")).format(rate)
    if found.mfu is None:
        return said
    return translated("{rate}, MFU {share}").format(rate=said, share=words.percent(found.mfu))


def rate_hint(memory: MemoryRuns, run_id: str, tokens_per_s: float) -> str:
    """Return a run's FLOP/s and MFU, and why the figure cannot be where it cannot; empty where it was not measured."""
    measured = memory.peaks.run(run_id)
    found = memory.rate(run_id, tokens_per_s) if measured is not None else None
    if measured is None or found is None:
        return ""
    said = flops_words(found, measured.on_gpu)
    return f"{said} · ⚠ {told(found.defect)}" if found.defect else said
