"""The help of the Memory page: worked examples with their sums, computed by the model itself, for orientation."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFrame, QVBoxLayout

from remote_agent.contract.memory.examples import EXAMPLE_LENGTH, NF4_BITS, Example, worked_examples
from studio.ui import words
from studio.ui.memory.host_card import host_terms
from studio.ui.pieces import plain_label


class ExamplesCard(QFrame):
    """A few sentences with figures: full fine-tuning of large models, LoRA and QLoRA; below each how they come about.

    ``lines`` hold the sentences, ``sums`` the arithmetic.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setObjectName("examplesCard")
        heading = plain_label(self.tr("For orientation"), "heading")
        self.setAccessibleName(heading.text())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(2)
        layout.addWidget(heading)
        found = {example.key: example for example in worked_examples()}
        told = self._told(found)
        self.lines = [plain_label(sentence, wraps=True) for sentence, _ in told]
        self.sums = [
            plain_label("\n".join(_sum(found[key]) for key in keys), "caption", wraps=True) for _, keys in told
        ]
        for line, arithmetic in zip(self.lines, self.sums, strict=True):
            layout.addSpacing(4)
            layout.addWidget(line)
            layout.addWidget(arithmetic)

    def _told(self, found: dict[str, Example]) -> list[tuple[str, tuple[str, ...]]]:
        """Return the sentences, each with the examples whose sums belong below it."""
        gb = {key: _gb(example.size) for key, example in found.items()}
        length = words.whole(EXAMPLE_LENGTH)
        return [
            (self.tr("70B, AdamW, bf16 with fp32 master weights: 16 bytes a parameter, {} GB of states in all.").format(
                gb["states_alone"]), ("states_alone",)),
            (self.tr(
                "On 8 GPUs under ZeRO 3 that is {} GB each, more than 80 GB cards hold; offloading the optimizer moves "
                "{} GB to the host."
            ).format(gb["states_of_8"], gb["host_of_8"]), ("states_of_8", "host_of_8")),
            (self.tr("With the processes and what loading takes, that host then holds about {} GB.").format(
                gb["host_needed"]), ("host_needed",)),
            (self.tr(
                "Without offloading it takes {} GPUs of 80 GB, one sequence of {} tokens each: about {} GB on the card."
            ).format(found["least_gpus"].gpus, length, gb["least_gpus"]), ("least_gpus",)),
            (self.tr(
                "“20 GB a GPU” is true of 64 GPUs: {} GB of states each, before activations, logits and buffers."
            ).format(gb["states_of_64"]), ("states_of_64",)),
            (self.tr(
                "405B on 512 GPUs: {} GB of states each, and with one sequence of {} tokens about {} GB come on top."
            ).format(gb["states_of_512"], length, gb["on_top_of_512"]), ("states_of_512", "on_top_of_512")),
            (self.tr("Frozen weights alone for 70B: LoRA {} GB, QLoRA {} GB.").format(
                gb["lora_weights"], gb["qlora_weights"]), ("lora_weights", "qlora_weights")),
        ]  # fmt: skip


def _gb(size: int) -> str:
    """Return decimal gigabytes, as papers and the table of GPUs' makers count."""
    return _spaced(f"{size / 1e9:,.4g}")


def _spaced(figure: str) -> str:
    return figure.replace(",", "\N{NARROW NO-BREAK SPACE}")


def _sum(example: Example) -> str:
    """Return how a figure comes about: a product of parameters and bytes, or a sum of terms."""
    if example.terms:
        named = {**host_terms(), **_gpu_terms()}
        parts = " + ".join(f"{named[name]} {_spaced(f'{size / 1e9:,.1f}')}" for name, size in example.terms)
        return f"{parts} = {_gb(example.size)} GB"
    count = words.whole(example.parameters)
    if example.key == "qlora_weights":
        product = QCoreApplication.translate("memory", "{} × {} bits").format(count, NF4_BITS)
    else:
        product = QCoreApplication.translate("memory", "{} × {} bytes").format(count, f"{example.each:g}")
    if example.key.startswith("states_of"):
        product = QCoreApplication.translate("memory", "{} ÷ {} GPUs").format(product, example.gpus)
    return f"{product} = {_gb(example.size)} GB"


def _gpu_terms() -> dict[str, str]:
    """Return the words for what lies on a GPU beside its states."""
    return {
        "weights": QCoreApplication.translate("memory", "weights"),
        "gradients": QCoreApplication.translate("memory", "gradients"),
        "states": QCoreApplication.translate("memory", "optimizer"),
        "allocator": QCoreApplication.translate("memory", "allocator's cache"),
        "context": QCoreApplication.translate("memory", "context"),
        "gathered": QCoreApplication.translate("memory", "gathered layers"),
        "activations": QCoreApplication.translate("memory", "activations"),
        "scores": QCoreApplication.translate("memory", "attention scores"),
        "logits": QCoreApplication.translate("memory", "logits"),
        "buckets": QCoreApplication.translate("memory", "buffers"),
        "average": QCoreApplication.translate("memory", "average"),
        "step": QCoreApplication.translate("memory", "optimizer step"),
    }
