"""A model folder's tokenizer, special tokens and chat template, read without transformers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote_agent.contract.chat_templates import resolve_template
from remote_agent.dataset.chat_template import ChatTemplate
from remote_agent.dataset.data_error import DataError, NotThereError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


@dataclass(frozen=True)
class ModelTokenizer:
    """A tokenizer ready to encode whole texts.

    Attributes:
        tokenizer: the tokenizers library's object, without truncation and padding.
        special_tokens: the tokens a template may name, such as ``bos_token``.
        template: None where the model has no chat template.
        template_text: its source, empty where there is none.
        hash: of tokenizer.json and the special tokens, 64 hex digits.
        special_ids: ids of markers such as an end of turn.
        starts_with_bos: the tokenizer itself puts the beginning token before a plain text.
        eos_token_id, pad_token_id: -1 where there is none; the pad falls back to the end token.
    """

    tokenizer: Tokenizer
    special_tokens: Mapping[str, str]
    template: ChatTemplate | None
    template_text: str
    hash: str
    special_ids: frozenset[int]
    special_texts: tuple[str, ...]
    starts_with_bos: bool
    eos_token_id: int
    pad_token_id: int


def load_tokenizer(model_folder: Path, chat_template: str = "", added_tokens: Sequence[str] = ()) -> ModelTokenizer:
    """Read the folder's tokenizer.

    ``chat_template`` replaces the model's own where it is not empty; builtin:NAME is one of Luthier's.
    ``added_tokens`` become special tokens with ids after the vocabulary, in their order; those it has keep theirs.

    Raises:
        NotThereError: there is no such folder or no tokenizer.json in it.
        DataError: a file of it cannot be read, or the template has an error.
    """
    path = model_folder / "tokenizer.json"
    if not path.is_file():
        raise NotThereError(f"{model_folder}: there is no tokenizer.json; choose a model that has a fast tokenizer.")
    raw = path.read_bytes()
    tokenizer = parse_tokenizer(raw)
    special = special_tokens(model_folder)
    add_tokens(tokenizer, added_tokens)
    try:
        text = resolve_template(chat_template) or template_text(model_folder)
    except ValueError as error:
        raise DataError(str(error)) from None
    added = {number: token for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    end = _token_id(tokenizer, special.get("eos_token"))
    pad = _token_id(tokenizer, special.get("pad_token"))
    bos = _token_id(tokenizer, special.get("bos_token"))
    return ModelTokenizer(
        tokenizer=tokenizer,
        special_tokens=special,
        template=ChatTemplate(text, special) if text.strip() else None,
        template_text=text,
        hash=tokenizer_hash(raw, special, added_tokens),
        special_ids=frozenset(added),
        special_texts=tuple(sorted((token.content for token in added.values()), key=lambda name: (-len(name), name))),
        starts_with_bos=bos >= 0 and tokenizer.encode("").ids[:1] == [bos],
        eos_token_id=end,
        pad_token_id=pad if pad >= 0 else end,
    )


def parse_tokenizer(raw: bytes) -> Tokenizer:
    """Return the tokenizer of a tokenizer.json's bytes. Raises DataError where they are none."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(raw.decode("utf-8"))
    except Exception as error:  # noqa: BLE001  the library raises plain Exception for a bad file
        reason = str(error).splitlines()[0][:200] if str(error) else "no reason given"
        raise DataError(f"tokenizer.json cannot be read ({reason}). Copy or download the model again.") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def add_tokens(tokenizer: Tokenizer, added: Sequence[str]) -> None:
    """Make each text a special token of its own, with ids after the vocabulary; one it has becomes special."""
    from tokenizers import AddedToken

    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in added])


def tokenizer_hash(raw: bytes, special: Mapping[str, str], added: Sequence[str] = ()) -> str:
    """Return the SHA-256 over tokenizer.json, the special tokens and those that the job adds."""
    digest = hashlib.sha256(raw)
    digest.update(json.dumps(dict(special), sort_keys=True).encode())
    if added:
        digest.update(json.dumps(list(added)).encode())
    return digest.hexdigest()


def special_tokens(model_folder: Path) -> dict[str, str]:
    """Return the special tokens of tokenizer_config.json and special_tokens_map.json, merged as transformers does."""
    config = read_json_object(model_folder / "tokenizer_config.json")
    values = dict(config)
    if "added_tokens_decoder" not in config:
        values.update(read_json_object(model_folder / "special_tokens_map.json"))
    found: dict[str, str] = {}
    for name in _SPECIAL:
        value = values.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            found[name] = text
    return found


def template_text(model_folder: Path) -> str:
    """Return the model's chat template, empty where it has none; chat_template.jinja goes before the config's."""
    own_file = model_folder / "chat_template.jinja"
    if own_file.is_file():
        try:
            return own_file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise DataError("chat_template.jinja is not UTF-8. Copy or download the model again.") from None
    value = read_json_object(model_folder / "tokenizer_config.json").get("chat_template")
    if isinstance(value, list):
        named = {item.get("name"): item.get("template") for item in value if isinstance(item, dict)}
        value = named.get("default")
    return value if isinstance(value, str) else ""


def read_json_object(path: Path) -> dict[str, Any]:
    """Return a JSON file's object, empty where the file is absent. Raises DataError where it is no JSON object."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is not valid JSON ({error}). Copy or download the model again.") from None
    if not isinstance(value, dict):
        raise DataError(f"{path.name} holds no JSON object. Copy or download the model again.")
    return value


def _token_id(tokenizer: Tokenizer, token: str | None) -> int:
    found = tokenizer.token_to_id(token) if token else None
    return -1 if found is None else int(found)
