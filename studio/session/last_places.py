"""What the studio takes up again: the job that was open and the node chosen for each job, in one small JSON file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class LastPlaces:
    """Reads and writes the file; one that is damaged or cannot be written costs only the convenience."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._job_id = ""
        self._nodes: dict[str, str] = {}
        self._take(_read(path))

    @property
    def job_id(self) -> str:
        """Return the job that was open last, empty where there is none."""
        return self._job_id

    def node_of(self, job_id: str) -> str:
        """Return the node chosen for a job, empty where there is none."""
        return self._nodes.get(job_id, "")

    def remember_job(self, job_id: str) -> None:
        """Keep which job is open."""
        if job_id != self._job_id:
            self._job_id = job_id
            self._write()

    def remember_node(self, job_id: str, node: str) -> None:
        """Keep which node a job is for; an empty name forgets it."""
        if self.node_of(job_id) != node:
            self._nodes.pop(job_id, None)
            if node:
                self._nodes[job_id] = node
            self._write()

    def _take(self, found: Any) -> None:
        if not isinstance(found, dict):
            return
        job_id, nodes = found.get("job"), found.get("nodes")
        self._job_id = job_id if isinstance(job_id, str) else ""
        if isinstance(nodes, dict):
            self._nodes = {key: value for key, value in nodes.items() if isinstance(value, str)}

    def _write(self) -> None:
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps({"job": self._job_id, "nodes": self._nodes}), encoding="utf-8")
            aside.replace(self._path)
        except OSError:
            aside.unlink(missing_ok=True)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
