"""A sequence-to-sequence model that says texts in other words or another language: beam search, the same every time."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from remote_agent.dataset.data_error import DataError, NotThereError

BEAMS = 4
_END_BYTES = 1 << 16


class Seq2SeqModel:
    """One model on one device, ready to write."""

    def __init__(self, folder: Path, trust_remote_code: bool = False) -> None:
        """Load model and tokenizer. Raises NotThereError, or DataError where the folder holds no such model."""
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        if not (folder / "config.json").is_file():
            raise NotThereError(f"{folder}: there is no model (no config.json). Choose a folder on the node.")
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=trust_remote_code
            )
            model: Any = AutoModelForSeq2SeqLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=trust_remote_code
            )
        except (OSError, ValueError, ImportError) as error:
            reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
            raise DataError(f"{folder}: not a seq2seq model that can be used ({reason}).") from None
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model: Any = model.to(self._device).eval()

    def write(self, texts: list[str], prefix: str, source: str, target: str, max_tokens: int) -> list[str]:
        """Return what the model makes of each text.

        Args:
            texts: up to a few dozen at once; each is cut to what the model reads.
            prefix: put before each text, such as "paraphrase: ".
            source: language code of the texts, empty for a model without codes.
            target: language code to write in, likewise.
            max_tokens: the longest text that is made, in tokens.

        Raises:
            DataError: the tokenizer knows no such language.
        """
        if source:
            self._language_id(source)
            self._tokenizer.src_lang = source
        batch = self._tokenizer(
            [prefix + text for text in texts],
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=self._reads_tokens(),
        ).to(self._device)
        forced = {"forced_bos_token_id": self._language_id(target)} if target else {}
        with torch.inference_mode():
            made = self._model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                max_new_tokens=max_tokens,
                num_beams=BEAMS,
                do_sample=False,
                **forced,
            )
        return [text.strip() for text in self._tokenizer.batch_decode(made, skip_special_tokens=True)]

    def _reads_tokens(self) -> int:
        config = self._model.config
        limit = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 512
        return min(int(limit), int(self._tokenizer.model_max_length))

    def _language_id(self, code: str) -> int:
        """Return the token that stands for a language in models such as NLLB, mBART and M2M100."""
        if hasattr(self._tokenizer, "get_lang_id"):
            known = getattr(self._tokenizer, "lang_code_to_id", {})
            if code in known:
                return int(self._tokenizer.get_lang_id(code))
        vocabulary = self._tokenizer.get_vocab()
        if code not in vocabulary:
            raise DataError(f"The model knows no language {code!r}; leave the field empty for a model without codes.")
        return int(vocabulary[code])


def model_hash(folder: Path) -> str:
    """Return a hash of a model folder: small files whole, weights by size and both ends. Raises NotThereError."""
    if not folder.is_dir():
        raise NotThereError(f"{folder}: there is no model folder on the node.")
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            size = path.stat().st_size
            digest.update(f"{path.name} {size}\n".encode())
            with path.open("rb") as file:
                digest.update(file.read(_END_BYTES))
                file.seek(max(0, size - _END_BYTES))
                digest.update(file.read(_END_BYTES))
    return digest.hexdigest()
