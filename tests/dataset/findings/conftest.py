"""The tiny tokenizer, read once."""

from __future__ import annotations

import pytest

from remote_agent.dataset.tokenizer_files import ModelTokenizer
from tests.dataset.findings.looking import tiny


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelTokenizer:
    return tiny(tmp_path_factory.mktemp("model"))
