"""Agent homes for tests that run the real trainer: each its own, the compiled operators shared in the user's cache."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from remote_agent.contract.run_dir import ENVIRONMENTS


def with_shared_operators(home: Path) -> Path:
    """Return the home, made if it is missing, with its environments' folder in the user's cache.

    DeepSpeed's operators take a minute and a half to compile; the folder is keyed by interpreter and versions, so
    sharing it between tests shares nothing else.
    """
    shared = platformdirs.user_cache_path("luthier-tests", appauthor=False) / "envs"
    shared.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    link = home / ENVIRONMENTS
    if not link.exists():
        link.symlink_to(shared)
    return home
