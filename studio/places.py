"""Where the studio keeps its files: one folder each for data, settings and cache, and the resources it ships with."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_NAME = "luthier"


def data_dir() -> Path:
    """Return the folder of the library, created where it is missing."""
    return _made("data", platformdirs.user_data_path(_NAME, appauthor=False))


def config_dir() -> Path:
    """Return the folder of settings and pinned host keys, created where it is missing."""
    return _made("config", platformdirs.user_config_path(_NAME, appauthor=False))


def cache_dir() -> Path:
    """Return the folder of what can be made again, created where it is missing."""
    return _made("cache", platformdirs.user_cache_path(_NAME, appauthor=False))


def agent_home() -> str:
    """Return the agent's folder for "This computer"."""
    override = _override()
    return str(override / "agent-home") if override else str(Path.home() / ".luthier")


def library_path() -> Path:
    """Return the library's database."""
    return data_dir() / "library.sqlite3"


def known_hosts_path() -> Path:
    """Return the file of the host keys that a person accepted."""
    return config_dir() / "known_hosts"


def resources_dir() -> Path:
    """Return the folder of style sheet, presets and tables: inside the wheel, or beside the package in a checkout.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "resources", package.parent / "resources"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"Luthier's resources are missing beside {package}; install it again.")


def _override() -> Path | None:
    folder = os.environ.get("LUTHIER_HOME", "")
    return Path(folder).expanduser().absolute() if folder else None


def _made(name: str, usual: Path) -> Path:
    override = _override()
    folder = override / name if override else usual
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
