"""The help of the Memory page: worked examples, computed by the model itself, for orientation."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout

from remote_agent.contract.memory.examples import worked_examples


class ExamplesCard(QFrame):
    """A few sentences with figures: full fine-tuning of large models, LoRA and QLoRA."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setObjectName("examplesCard")
        heading = QLabel(self.tr("For orientation"))
        heading.setProperty("role", "heading")
        self.setAccessibleName(heading.text())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(4)
        layout.addWidget(heading)
        self.lines = [QLabel(text) for text in self._sentences()]
        for line in self.lines:
            line.setWordWrap(True)
            line.setProperty("role", "caption")
            layout.addWidget(line)

    def _sentences(self) -> list[str]:
        # decimal gigabytes, as papers and the table of GPUs' makers count
        gb = {example.key: f"{example.size / 1e9:,.4g}" for example in worked_examples()}
        return [
            self.tr("70B, AdamW, bf16 with fp32 master weights: 16 bytes a parameter, {} GB of states in all.").format(
                gb["states_alone"]
            ),
            self.tr(
                "On 8 GPUs under ZeRO 3 that is {} GB each, more than 80 GB cards hold; offloading the optimizer moves "
                "{} GB to the host."
            ).format(gb["states_of_8"], gb["host_of_8"]),
            self.tr(
                "“20 GB a GPU” is true of 64 GPUs: {} GB of states each, before activations, logits and buffers."
            ).format(gb["states_of_64"]),
            self.tr(
                "405B on 512 GPUs: {} GB of states each; activations, gathered layers and buffers come on top."
            ).format(gb["states_of_512"]),
            self.tr("Frozen weights alone for 70B: LoRA {} GB, QLoRA {} GB.").format(
                gb["lora_weights"], gb["qlora_weights"]
            ),
        ]
