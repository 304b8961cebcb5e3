"""What the studio takes up again: the job that was open, the node of each job, the GPUs there; one JSON file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class LastPlaces:
    """Reads and writes the file; one that is damaged or cannot be written costs only the convenience."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._job_id = ""
        self._nodes: dict[str, str] = {}
        self._gpus: dict[str, dict[str, list[str]]] = {}
        self._ahead = True
        self._take(_read(path))

    @property
    def job_id(self) -> str:
        """Return the job that was open last, empty where there is none."""
        return self._job_id

    def node_of(self, job_id: str) -> str:
        """Return the node chosen for a job, empty where there is none."""
        return self._nodes.get(job_id, "")

    @property
    def prepares_ahead(self) -> bool:
        """Say whether a node is prepared while its job is still edited, which a person can turn off."""
        return self._ahead

    def remember_ahead(self, is_on: bool) -> None:
        """Keep whether nodes are prepared ahead."""
        if is_on != self._ahead:
            self._ahead = is_on
            self._write()

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

    def gpus_of(self, job_id: str, node: str) -> tuple[str, ...]:
        """Return the UUIDs of the GPUs chosen for a job on a node, none where they are left to the node."""
        return tuple(self._gpus.get(job_id, {}).get(node, ()))

    def remember_gpus(self, job_id: str, node: str, uuids: Sequence[str]) -> None:
        """Keep which GPUs of a node a job is for; none forgets them."""
        if self.gpus_of(job_id, node) == tuple(uuids):
            return
        chosen = self._gpus.setdefault(job_id, {})
        chosen.pop(node, None)
        if uuids:
            chosen[node] = list(uuids)
        if not chosen:
            del self._gpus[job_id]
        self._write()

    def forget_job(self, job_id: str) -> None:
        """Forget what was chosen for a job that is gone."""
        self._gpus.pop(job_id, None)
        self._nodes.pop(job_id, None)
        self._write()

    def _take(self, found: Any) -> None:
        if not isinstance(found, dict):
            return
        job_id, nodes, self._ahead = found.get("job"), found.get("nodes"), found.get("ahead") is not False
        self._job_id = job_id if isinstance(job_id, str) else ""
        if isinstance(nodes, dict):
            self._nodes = {key: value for key, value in nodes.items() if isinstance(value, str)}
        gpus = found.get("gpus")
        for job, chosen in gpus.items() if isinstance(gpus, dict) else ():
            if isinstance(chosen, dict):
                lists = {node: each for node, each in chosen.items() if isinstance(each, list)}
                self._gpus[job] = {
                    node: [uuid for uuid in each if isinstance(uuid, str)] for node, each in lists.items()
                }

    def _write(self) -> None:
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            told = {"job": self._job_id, "nodes": self._nodes, "gpus": self._gpus, "ahead": self._ahead}
            aside.write_text(json.dumps(told), encoding="utf-8")
            aside.replace(self._path)
        except OSError:
            aside.unlink(missing_ok=True)


def _texts(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
