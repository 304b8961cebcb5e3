"""The keys of trackers: kept in the system's keyring, or in memory where there is none; never in a job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.tracker_spec import KEY_NAMES, ONLINE, TrackersSpec
from studio.session.alert_channels import AlertChannels

ASKED = ("WANDB_API_KEY", "MLFLOW_TRACKING_TOKEN", "HF_TOKEN")
"""The keys that a person may keep; a user and a password of MLflow come from the environment alone."""
_ONLINE_KINDS = tuple(kind for kind, names in KEY_NAMES.items() if names)


class TrackerKeys:
    """The keys of this person, for every run that is started from here and every upload."""

    _in_memory: ClassVar[dict[str, str]] = {}

    def unavailable(self) -> str:
        """Return why they are not kept beyond this process, as a sentence; empty where they are."""
        from studio.secrets import KeyringKeeper

        return KeyringKeeper().unavailable()

    def is_kept(self, name: str) -> bool:
        """Say whether a key is kept; what it is leaves this class only for a node or a tracker."""
        return bool(self._kept(name))

    def keep(self, changes: Mapping[str, str]) -> None:
        """Keep keys by name; an empty one is forgotten."""
        from studio.secrets import KeyringKeeper

        keeper = KeyringKeeper()
        in_memory = bool(keeper.unavailable())
        for name, key in changes.items():
            self._in_memory.pop(name, None)
            if not key:
                keeper.forget(_account(name))
            elif in_memory:
                self._in_memory[name] = key
            else:
                keeper.keep(_account(name), key)

    def of_kind(self, kind: str) -> dict[str, str]:
        """Return a tracker's keys: what is kept, else what this process was started with."""
        found = {name: self._kept(name) or os.environ.get(name, "").strip() for name in KEY_NAMES[kind]}
        return {name: key for name, key in found.items() if key}

    def of_job(self, spec: TrackersSpec) -> dict[str, str]:
        """Return what a run's supervisor is handed: the keys of those trackers that the job sends to from the node."""
        found: dict[str, str] = {}
        for kind in _ONLINE_KINDS:
            if getattr(spec, kind) == ONLINE:
                found.update(self.of_kind(kind))
        return found

    def _kept(self, name: str) -> str:
        from studio.secrets import KeyringKeeper

        return self._in_memory.get(name, "") or KeyringKeeper().secret(_account(name))


def _account(name: str) -> str:
    return f"tracker {name}"


def run_secrets(spec: JobSpec) -> dict[str, str]:
    """Return the secrets of a run: where its alerts go, and the keys of the trackers that it feeds from its node."""
    return {**AlertChannels().as_secrets(), **TrackerKeys().of_job(spec.trackers)}
