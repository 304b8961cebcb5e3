"""What a model folder holds, told without reading its weights: config, tokenizer, template, parameters, problems."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remote_agent.contract.data_report import FileEntry, ModelReport
from remote_agent.dataset.chat_template import ChatTemplate
from remote_agent.dataset.data_error import DataError, NotThereError
from remote_agent.dataset.sources import Advance, Cancelled, check, file_hash, never, no_progress
from remote_agent.dataset.tokenizer_files import (
    parse_tokenizer,
    read_json_object,
    special_tokens,
    template_text,
    tokenizer_hash,
)

# Types that the pinned transformers carries itself, so that an auto_map beside them is not needed.
_NATIVE_TYPES = ("llama", "mistral", "qwen2", "qwen3")
_INDEX = "model.safetensors.index.json"
_LARGEST_HEADER_BYTES = 100_000_000


def inspect_model(
    path: Path,
    hashes: bool = False,
    trust_remote_code: bool = False,
    progress: Advance = no_progress,
    cancelled: Cancelled = never,
) -> ModelReport:
    """Look at a model's folder. What stands against a run is said in ``problems``, a sentence each.

    Args:
        path: the folder with config.json.
        hashes: hash every file; reads the weights once.
        trust_remote_code: the job lets the model's own code run, so that it is no problem.
        progress: told of bytes hashed.
        cancelled: asked between files and within large ones.

    Raises:
        NotThereError: there is no such folder.
        CancelledError: while hashing.
    """
    if not path.is_dir():
        raise NotThereError(f"{path}: there is no such folder; a model is a folder with config.json.")
    problems: list[str] = []
    config = _read(path / "config.json", problems)
    if not config and not problems:
        problems.append(f"{path.name}: there is no config.json, so this is no model folder of transformers.")
    parameters = _weights(path, problems)
    _check_config(config, trust_remote_code, problems)
    files = _files(path, hashes, progress, cancelled)
    template, tokenizer = _tokenizer(path, config, problems)
    return ModelReport(
        path=str(path),
        config=config,
        chat_template=template,
        tokenizer_hash=tokenizer,
        parameters=parameters,
        files=files,
        fingerprint=fingerprint(files),
        has_tokenizer=bool(tokenizer),
        problems=tuple(problems),
    )


def fingerprint(files: tuple[FileEntry, ...]) -> str:
    """Return the SHA-256 over the files' names, sizes and hashes, 64 hex digits."""
    lines = sorted(f"{file.name}\t{file.size_bytes}\t{file.sha256}\n" for file in files)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return read_json_object(path)
    except DataError as error:
        problems.append(str(error))
        return {}


def _files(path: Path, hashes: bool, progress: Advance, cancelled: Cancelled) -> tuple[FileEntry, ...]:
    found = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    total = sum(file.stat().st_size for file in found)
    done = 0
    entries = []
    for file in found:
        check(cancelled)
        size = file.stat().st_size
        entries.append(FileEntry(file.name, size, file_hash(file, cancelled) if hashes else ""))
        done += size
        if hashes:
            progress("hash", done, total, "bytes")
    return tuple(entries)


def _tokenizer(path: Path, config: Mapping[str, Any], problems: list[str]) -> tuple[str, str]:
    """Return template and hash of the tokenizer; an empty hash where there is none that can be used."""
    file = path / "tokenizer.json"
    if not file.is_file():
        slow = " (there is tokenizer.model only)" if (path / "tokenizer.model").is_file() else ""
        problems.append(
            f"{path.name}: there is no tokenizer.json{slow}; save the tokenizer as a fast one with transformers."
        )
        return "", ""
    try:
        raw = file.read_bytes()
        tokenizer = parse_tokenizer(raw)
        special = special_tokens(path)
        template = template_text(path)
        if template:
            ChatTemplate(template, special)
    except DataError as error:
        problems.append(str(error))
        return "", ""
    vocabulary = config.get("vocab_size")
    if isinstance(vocabulary, int) and tokenizer.get_vocab_size() > vocabulary > 0:
        problems.append(
            f"The tokenizer has {tokenizer.get_vocab_size():,} tokens but the model embeds {vocabulary:,}; "
            "they do not belong together."
        )
    return template, tokenizer_hash(raw, special)


def _check_config(config: Mapping[str, Any], trust_remote_code: bool, problems: list[str]) -> None:
    if "auto_map" in config and config.get("model_type") not in _NATIVE_TYPES and not trust_remote_code:
        problems.append(
            "The model needs Python code that comes with it (auto_map in config.json). "
            "Read that code, then turn on 'Run the model's own code', or choose another model."
        )
    quantization = config.get("quantization_config")
    if quantization:
        method = quantization.get("quant_method", "") if isinstance(quantization, dict) else ""
        problems.append(
            f"The weights are quantized ({method or 'quantization_config in config.json'}); a full fine-tune needs "
            "them in 16 or 32 bits. Choose the model's unquantized version."
        )


def _weights(path: Path, problems: list[str]) -> int:
    """Return the number of parameters by the safetensors headers; 0 where no weights can be read."""
    names = _weight_files(path, problems)
    if names:
        total = 0
        for name in names:
            try:
                total += safetensors_parameters(path / name)
            except (DataError, OSError) as error:
                problems.append(str(error))
                return 0
        return total
    if not problems:
        problems.append(_why_no_weights(path))
    return 0


def _weight_files(path: Path, problems: list[str]) -> list[str]:
    if (path / _INDEX).is_file():
        index = _read(path / _INDEX, problems)
        weight_map = index.get("weight_map")
        names = sorted(set(map(str, weight_map.values()))) if isinstance(weight_map, dict) else []
        missing = [name for name in names if not (path / name).is_file()]
        if missing:
            problems.append(
                f"{path.name}: {len(missing)} of {len(names)} weight files are missing, {missing[0]} first. "
                "Copy or download the model again."
            )
            return []
        return names
    if (path / "model.safetensors").is_file():
        return ["model.safetensors"]
    return sorted(file.name for file in path.glob("*.safetensors"))


def _why_no_weights(path: Path) -> str:
    convert = "Load it with transformers where you trust it and save it again; that writes safetensors."
    if any(path.glob("*.bin")):
        return f"{path.name}: the weights are pickle files (.bin) only, which can run code when opened. {convert}"
    if any(path.glob("*.gguf")):
        return f"{path.name}: the weights are GGUF only, which is quantized; choose the model's safetensors."
    return f"{path.name}: there are no weights in it (*.safetensors)."


def safetensors_parameters(path: Path) -> int:
    """Return the number of elements of all tensors, from the header alone.

    Raises:
        DataError: the file is cut off or no safetensors file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, _LARGEST_HEADER_BYTES):
            raise DataError(f"{path.name}: no whole safetensors file. Copy or download it again.")
        raw = file.read(length)
    try:
        header = json.loads(raw.decode("utf-8"))
        tensors = [value for name, value in header.items() if name != "__metadata__"]
        end = max((tensor["data_offsets"][1] for tensor in tensors), default=0)
        total = sum(_product(tensor["shape"]) for tensor in tensors)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise DataError(f"{path.name}: its header is no safetensors header. Copy or download it again.") from None
    if 8 + length + end != size:
        raise DataError(
            f"{path.name}: {size:,} bytes, but its header asks for {8 + length + end:,}; "
            "the file was cut off. Copy or download it again."
        )
    return total


def _product(shape: list[int]) -> int:
    product = 1
    for size in shape:
        product *= int(size)
    return product
