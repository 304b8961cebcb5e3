"""A session on the user's own library, nodes and cache."""

from __future__ import annotations

from PySide6.QtCore import QObject

from studio import places
from studio.session.last_places import LastPlaces
from studio.session.reach import Reach
from studio.session.session import Session
from studio.store.library import Library


def open_session(parent: QObject | None = None) -> Session:
    """Return a session; close it at the end. Raises StoreError where the library cannot be opened."""
    return Session(
        Library(places.library_path()),
        Reach(places.known_hosts_path(), places.agent_home()),
        LastPlaces(places.config_dir() / "last.json"),
        places.cache_dir(),
        parent,
    )
