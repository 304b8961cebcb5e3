"""The command `hub`: a model or data set of the Hub, fetched by the node itself and pinned to its commit."""

from __future__ import annotations

import os
import re
from typing import Any, Dict

from remote_agent.contract.run_dir import MODELS, hub_model_folder, is_commit
from remote_agent.supervisor.child import child_environment, framed_child, script
from remote_agent.supervisor.inspect import chosen_python, module_command
from remote_agent.supervisor.launch import own_agent_dir
from remote_agent.supervisor.start import secrets_argument
from remote_agent.supervisor.talk import CommandError, Talk, text_argument, whole_argument

SECRET = "HF_TOKEN"  # noqa: S105 a name, not a token
_TOKENS = (SECRET, "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH")
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9._-]{1,96})?\Z")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\Z")


def hub(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{repo, revision, path}`` once the files lie at that path; ``revision`` is then a commit.

    With ``what`` "data" it is a data set, of which ``subset``, ``split`` and ``max_rows`` say which rows. A commit that
    lies there already is found without asking the Hub. What an interrupted call has fetched is kept.
    The token is the request's own (``secrets``); one that lies on the node is not used.

    Raises:
        CommandError: no such id or revision, it is gated, the Hub is out of reach, the disk is too small, or the
            client cancelled.
    """
    repo = text_argument(arguments, "repo")
    revision = text_argument(arguments, "revision", "")
    if not _REPO.match(repo) or "--" in repo or ".." in repo:
        raise CommandError("{!r} is no Hub id; one reads like org/name.".format(repo[:200]), "bad_request")
    if revision and (not _REVISION.match(revision) or ".." in revision):
        raise CommandError("{!r} is no revision on the Hub.".format(revision[:200]), "bad_request")
    secrets = secrets_argument(arguments)
    if text_argument(arguments, "what", "model") == "data":
        return _hub_data(talk, home, arguments, secrets)
    if is_commit(revision):
        path = os.path.join(home, MODELS, hub_model_folder(repo, revision))
        if os.path.isdir(path):
            return {"repo": repo, "revision": revision, "path": path}
    python = chosen_python(home, text_argument(arguments, "python", ""))
    command = [python, *script(own_agent_dir(), "supervisor", "hub_download.py")]
    asked = {"repo": repo, "revision": revision, "home": home, "python": python}
    value = framed_child(talk, command, _environment(secrets), asked)
    return _checked(value)


def _hub_data(talk: Talk, home: str, arguments: Dict[str, Any], secrets: Dict[str, str]) -> Dict[str, Any]:
    python = chosen_python(home, text_argument(arguments, "python", ""))
    asked: Dict[str, Any] = {
        name: text_argument(arguments, name, "") for name in ("repo", "revision", "subset", "split")
    }
    asked.update(max_rows=whole_argument(arguments, "max_rows", 0), home=home, python=python)
    command = module_command(python, "remote_agent.dataset.hub_rows_child")
    return _checked(framed_child(talk, command, _environment(secrets), asked))


def _checked(value: Any) -> Dict[str, Any]:
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
