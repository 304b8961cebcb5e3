"""What was measured of memory, in words."""

from __future__ import annotations

import math

from PySide6.QtCore import QCoreApplication

from remote_agent.contract.memory_probe import MemoryTrace
from studio.state.measured_run import MeasuredRun
from studio.ui import words


def translated(text: str) -> str:
    """Return a text of this module's context in the language in force."""
    return QCoreApplication.translate("memory", text)


def term_names(on_gpu: bool) -> dict[str, str]:
    """Return what the terms of a measured peak are called."""
    return {
        "weights": translated("weights"),
        "gradients": translated("gradients"),
        "optimizer": translated("optimizer"),
        "activations": translated("activations and all else"),
        "process": translated("the process before the model"),
        "peak": translated("peak on the fullest GPU") if on_gpu else translated("peak of the fullest process"),
    }


def peak_words(run: MeasuredRun) -> str:
    """Return a run's estimated and measured peak in a line."""
    estimated, measured = run.predicted.get("peak", 0), run.measured.get("peak", 0)
    times = f" (× {run.ratio:.2f})" if math.isfinite(run.ratio) else ""
    said = translated("{name}: {estimated} estimated, {measured} measured{times}")
    return said.format(name=run.name, estimated=words.size(estimated), measured=words.size(measured), times=times)


def correction_words(run: MeasuredRun) -> str:
    """Return what a probe made of the figures."""
    estimated, measured = words.size(run.predicted.get("peak", 0)), words.size(run.measured.get("peak", 0))
    said = translated("Corrected: a probe measured {measured} where {estimated} were estimated.")
    return said.format(measured=measured, estimated=estimated)


def trace_words(found: MemoryTrace) -> str:
    """Return a trace in words."""
    terms = ", ".join(
        f"{_trace_term(name)} {words.size(size)}"
        for name, size in found.terms.items()
        if isinstance(size, int) and size
    )
    said = translated("Traced on one GPU under AdamW without master weights: {peak} at the peak ({terms}).")
    return said.format(peak=words.size(found.peak), terms=terms)


def _trace_term(name: str) -> str:
    return {
        "Parameter": translated("weights"),
        "Gradient": translated("gradients"),
        "Optstate": translated("optimizer"),
        "Activation": translated("activations"),
        "Input": translated("inputs"),
        "Temp": translated("temporary"),
        "Buffer": translated("buffers"),
    }.get(name, name)
