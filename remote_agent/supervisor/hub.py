"""The command `hub`: a model of the Hub, fetched by the node itself into the agent's home, pinned to its commit."""

from __future__ import annotations

import os
import re
from typing import Any, Dict

from remote_agent.contract.run_dir import MODELS, hub_model_folder, is_commit
from remote_agent.supervisor.child import child_environment, framed_child, script
from remote_agent.supervisor.inspect import chosen_python
from remote_agent.supervisor.launch import own_agent_dir
from remote_agent.supervisor.start import secrets_argument
from remote_agent.supervisor.talk import CommandError, Talk, text_argument

SECRET = "HF_TOKEN"  # noqa: S105 a name, not a token
_TOKENS = (SECRET, "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH")
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9._-]{1,96})?\Z")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\Z")


def hub(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{repo, revision, path}`` once the model's files lie at that path; ``revision`` is then a commit.

    A commit that lies there already is found without asking the Hub. What an interrupted call has fetched is kept.
    The token is the request's own (``secrets``); one that lies on the node is not used.

    Raises:
        CommandError: no such model or revision, it is gated, the Hub is out of reach, the disk is too small, or the
            client cancelled.
    """
    repo = text_argument(arguments, "repo")
    revision = text_argument(arguments, "revision", "")
    if not _REPO.match(repo) or "--" in repo or ".." in repo:
        raise CommandError("{!r} is no Hub id; one reads like org/name.".format(repo[:200]), "bad_request")
    if revision and (not _REVISION.match(revision) or ".." in revision):
        raise CommandError("{!r} is no revision of a Hub model.".format(revision[:200]), "bad_request")
    secrets = secrets_argument(arguments)
    if is_commit(revision):
        path = os.path.join(home, MODELS, hub_model_folder(repo, revision))
        if os.path.isdir(path):
            return {"repo": repo, "revision": revision, "path": path}
    python = chosen_python(home, text_argument(arguments, "python", ""))
    command = [python, *script(own_agent_dir(), "supervisor", "hub_download.py")]
    asked = {"repo": repo, "revision": revision, "home": home, "python": python}
    value = framed_child(talk, command, _environment(secrets), asked)
    if not isinstance(value, dict):
        raise CommandError("The download answered without a value.")
    return value


def _environment(secrets: Dict[str, str]) -> Dict[str, str]:
    """Return the child's environment; it holds no token but the request's."""
    environment = {name: value for name, value in child_environment().items() if name not in _TOKENS}
    if secrets.get(SECRET):
        environment[SECRET] = secrets[SECRET]
    for name in ("DISABLE_TELEMETRY", "DISABLE_PROGRESS_BARS", "DISABLE_IMPLICIT_TOKEN", "DISABLE_UPDATE_CHECK"):
        environment["HF_HUB_" + name] = "1"
    return environment
