"""What a look at data needs: the job, the model's folder, and where the data lies on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.augmenting import augment_steps, augmented_path
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.inputs import content_hashes
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

    def augmented(self, home: Path, cancelled: Cancelled = never) -> Path | None:
        """Return where, in the agent's home, the rows lie that the job's augment steps made; None without such steps.

        Raises DataError, OSError, CancelledError.
        """
        if not augment_steps(self.job.data):
            return None
        return augmented_path(home, self.job, content_hashes(self.paths, cancelled))

    def corpus(self, model: ModelTokenizer, folder: Path) -> Corpus:
        """Open the rows; their indices are kept in a folder. Raises DataError, OSError."""
        return Corpus(self.job, model, self.paths, folder)
