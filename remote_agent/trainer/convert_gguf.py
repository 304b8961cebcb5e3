"""A GGUF file of a Llama model as a folder that transformers loads and trains: safetensors, config and tokenizer.

Run as ``python convert_gguf.py --gguf FILE --out DIR``; each line of its output is a JSON object {phase, done, total}.
Weights become bf16, the precision such models are published in: half the bytes of fp32 to hash, copy and load, and
its rounding is far below that of the 4-bit blocks. Training still computes in whatever precision the job says.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from gguf import GGUFReader, dequantize
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

Progress = Callable[[str, int, int], None]

_CONTROL, _USER_DEFINED = 3, 4
_LAYER_NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_OUTER_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}


class GgufError(ValueError):
    """The file holds something this converter does not know; the sentence says what."""


class Sizes(NamedTuple):
    """The figures of a Llama model."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int


def convert(gguf: Path, out: Path, progress: Progress) -> None:
    """Write the folder, aside first so that it is whole or absent. A folder that is there is replaced.

    Raises:
        GgufError: another architecture or tokenizer than is known here.
        OSError: the file cannot be read or the folder not written.
    """
    reader = GGUFReader(str(gguf))
    if _value(reader, "general.architecture") != "llama" or _value(reader, "tokenizer.ggml.model") != "gpt2":
        raise GgufError(f"{gguf.name} holds no Llama model with a byte-level BPE tokenizer.")
    aside = out.with_name(f".{out.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    progress("tokenizer", 0, 1)
    _write_tokenizer(reader, aside)
    progress("tokenizer", 1, 1)
    tied = all(tensor.name != "output.weight" for tensor in reader.tensors)
    _write_json(aside / "config.json", _config(reader, tied))
    ends = {f"{name}_token_id": _number(reader, f"tokenizer.ggml.{key}_token_id") for name, key in _TOKEN_KEYS.items()}
    _write_json(aside / "generation_config.json", {key: ends[key] for key in ends if not key.startswith("unk")})
    weights = {}
    for done, (name, tensor) in enumerate(_tensors(reader), 1):
        weights[name] = tensor
        progress("weights", done, len(reader.tensors))
    progress("writing", 0, 1)
    save_file(weights, aside / "model.safetensors", metadata={"format": "pt"})
    shutil.rmtree(out, ignore_errors=True)
    aside.rename(out)
    progress("writing", 1, 1)


def _tensors(reader: GGUFReader) -> Iterator[tuple[str, torch.Tensor]]:
    sizes = _sizes(reader)
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        kind = tensor.name.split(".")[2] if tensor.name.startswith("blk.") else ""
        if kind in ("attn_q", "attn_k"):
            values = _unpermuted(values, sizes.heads if kind == "attn_q" else sizes.kv_heads)
        yield _name(tensor.name), torch.from_numpy(np.array(values, dtype=np.float32)).to(torch.bfloat16)


def _unpermuted(values: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """Undo the interleaving of each head's rows that llama.cpp's rotary embedding wants."""
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _name(name: str) -> str:
    if name in _OUTER_NAMES:
        return _OUTER_NAMES[name]
    parts = name.split(".")
    if len(parts) == 4 and parts[0] == "blk" and parts[2] in _LAYER_NAMES:
        return f"model.layers.{parts[1]}.{_LAYER_NAMES[parts[2]]}.{parts[3]}"
    raise GgufError(f"The tensor {name} has no place in a Llama model.")


def _sizes(reader: GGUFReader) -> Sizes:
    return Sizes(
        layers=_number(reader, "llama.block_count"),
        hidden=_number(reader, "llama.embedding_length"),
        heads=_number(reader, "llama.attention.head_count"),
        kv_heads=_number(reader, "llama.attention.head_count_kv"),
    )


_TOKEN_KEYS = {"bos": "bos", "eos": "eos", "pad": "padding", "unk": "unknown"}


def _config(reader: GGUFReader, tied: bool) -> dict[str, Any]:
    sizes = _sizes(reader)
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(_value(reader, "tokenizer.ggml.tokens")),
        "hidden_size": sizes.hidden,
        "intermediate_size": _number(reader, "llama.feed_forward_length"),
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "head_dim": sizes.hidden // sizes.heads,
        "max_position_embeddings": _number(reader, "llama.context_length"),
        "rms_norm_eps": round(float(_value(reader, "llama.attention.layer_norm_rms_epsilon")), 12),
        "rope_theta": float(_value(reader, "llama.rope.freq_base")),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": tied,
        "bos_token_id": _number(reader, "tokenizer.ggml.bos_token_id"),
        "eos_token_id": _number(reader, "tokenizer.ggml.eos_token_id"),
        "pad_token_id": _number(reader, "tokenizer.ggml.padding_token_id"),
        "torch_dtype": "bfloat16",
    }


def _write_tokenizer(reader: GGUFReader, folder: Path) -> None:
    tokens = _value(reader, "tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in _value(reader, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = _pre_tokenizer(str(_value(reader, "tokenizer.ggml.pre")))
    tokenizer.decoder = decoders.ByteLevel()
    kinds = zip(tokens, _value(reader, "tokenizer.ggml.token_type"), strict=True)
    marked = [(token, kind) for token, kind in kinds if kind in (_CONTROL, _USER_DEFINED)]
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token, kind in marked if kind == _USER_DEFINED])
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token, kind in marked if kind == _CONTROL])
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        f"{name}_token": tokens[_number(reader, f"tokenizer.ggml.{key}_token_id")] for name, key in _TOKEN_KEYS.items()
    }
    config.update(
        add_prefix_space=False,
        clean_up_tokenization_spaces=False,
        model_max_length=_number(reader, "llama.context_length"),
        tokenizer_class="PreTrainedTokenizerFast",
        chat_template=_value(reader, "tokenizer.chat_template"),
    )
    _write_json(folder / "tokenizer_config.json", config)


def _pre_tokenizer(kind: str) -> Any:
    bytes_of_words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if kind == "smollm":
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), bytes_of_words])
    if kind in ("gpt-2", "default"):
        return bytes_of_words
    raise GgufError(f"How the tokenizer {kind!r} splits text into words is not known here.")


def _value(reader: GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    if field is None:
        raise GgufError(f"The file does not say {key}.")
    return field.contents()


def _number(reader: GGUFReader, key: str) -> int:
    return int(_value(reader, key))


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _say(phase: str, done: int, total: int) -> None:
    sys.stdout.write(json.dumps({"phase": phase, "done": done, "total": total}) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Convert as the command line says; return 0, or 2 after a sentence on standard error."""
    parser = argparse.ArgumentParser(prog="convert_gguf", description="GGUF to a folder that transformers loads.")
    parser.add_argument("--gguf", type=Path, required=True, help="the GGUF file")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    arguments = parser.parse_args()
    try:
        convert(arguments.gguf, arguments.out, _say)
    except (GgufError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
