"""What a look at data needs: the job, the model's folder, and where the data lies on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.corpus import Corpus, DataPaths
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

    def corpus(self, model: ModelTokenizer, folder: Path) -> Corpus:
        """Open the rows; their indices are kept in a folder. Raises DataError, OSError."""
        return Corpus(self.job, model, self.paths, folder)
