"""A model folder for everything that moves no weights: the tiny tokenizer, a config, and one small tensor."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from tests.support.tiny import CHATML_TEMPLATE, tiny_tokenizer_files

_CONFIG = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 400,
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "max_position_embeddings": 256,
    "tie_word_embeddings": True,
}


def write_model(folder: Path, limit: int = 256, template: str = CHATML_TEMPLATE) -> Path:
    """Write the folder and return it; ``limit`` is the model's longest sequence in tokens."""
    tiny_tokenizer_files(folder, template)
    (folder / "config.json").write_text(json.dumps({**_CONFIG, "max_position_embeddings": limit}), encoding="utf-8")
    header = json.dumps({"model.norm.weight": {"dtype": "F32", "shape": [8], "data_offsets": [0, 32]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(32))
    return folder
