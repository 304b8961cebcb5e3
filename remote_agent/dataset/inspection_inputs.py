"""What a look at data needs: the job, the model's folder, and where the data lies on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.augmenting import augment_steps, augmented_path
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.inputs import ContentHashes, content_hashes
from remote_agent.dataset.sources import Cancelled, never
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer


class Inputs(NamedTuple):
    """A job, and its model and data as paths of this machine."""

    job: JobSpec
    model_path: Path
    paths: DataPaths

    def tokenizer(self) -> ModelTokenizer:
        """Load the tokenizer as the job has it. Raises DataError, OSError."""
        data = self.job.data
        return load_tokenizer(self.model_path, data.chat_template, data.added_tokens)

    @property
    def model_limit(self) -> int:
        """Return the most tokens the model takes by its config.json, 0 where it does not say."""
        try:
            config = json.loads((self.model_path / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0
        limit = config.get("max_position_embeddings") if isinstance(config, dict) else None
        return limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else 0

    @property
    def makes_rows(self) -> bool:
        """Return whether a step of the job makes rows."""
        return bool(augment_steps(self.job.data))

    def augmented(self, home: Path, cancelled: Cancelled = never, hashes: ContentHashes | None = None) -> Path | None:
        """Return where, in the agent's home, the rows lie that the job's augment steps made; None without such steps.

        The file need not be there. ``hashes`` are those of the data, where they are known.

        Raises DataError, OSError, CancelledError.
        """
        if not self.makes_rows:
            return None
        return augmented_path(home, self.job, hashes or content_hashes(self.paths, cancelled))

    def corpus(self, model: ModelTokenizer, folder: Path, augmented: Path | None = None) -> Corpus:
        """Open the rows; their indices are kept in a folder. Raises DataError, OSError."""
        return Corpus(self.job, model, self.paths, folder, augmented)
