"""Real data to try things on, which is no part of the project: where it lies, if it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SAMPLES_VARIABLE = "LUTHIER_SAMPLES"


def sample(name: str) -> Path:
    """Return a file of the real data; a test that asks for one that is absent is skipped with the reason."""
    folder = Path(os.environ.get(SAMPLES_VARIABLE, Path(__file__).parents[3] / "shared" / "data"))
    path = folder / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine; {SAMPLES_VARIABLE} names another folder")
    return path


def published_memory(name: str) -> Path:
    """Return a table of published memory peaks or outcomes, which lie beside the real data; absent, as `sample`."""
    return sample(f"../vram/{name}")
