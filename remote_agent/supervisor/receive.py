"""The command `receive`: model, data or wheels from the client, resumed where an upload broke off, hash-verified."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any, Dict

from remote_agent.contract.frames import Frame
from remote_agent.contract.run_dir import DATA, ENVIRONMENTS, MODELS
from remote_agent.run_files.atomic_write import sync_folder
from remote_agent.supervisor.arrival import Arrival
from remote_agent.supervisor.node_facts import disk_free_bytes
from remote_agent.supervisor.node_folders import uploads_folder
from remote_agent.supervisor.talk import CommandError, Talk, text_argument

SENT_WHEELS = ".sent-"
"""How the names of folders begin, among the environments, that hold the files of one; they go when it is built."""

_PARENTS = {"models": MODELS, "data": DATA, "wheels": ENVIRONMENTS}
_FINGERPRINT = re.compile(r"[0-9a-f]{16,128}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_MOST_FILES = 100_000


def receive(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{path}``: tell what is there, take ``chunk`` frames until ``end``, verify, and rename into place.

    The hashes come with the manifest, together with a ``fingerprint``; or later in a frame ``hashes``, so that the
    client can take them while it sends. Then ``key`` names the upload, and ``likely`` in our first answer says that
    the same names and sizes are here already, so that hashing before sending may spare it all. That frame is answered
    by a second ``have``, or by the result.

    Raises:
        CommandError: a name leads out of the folder, a hash differs, the disk is too small, or the client is gone.
    """
    kind = text_argument(arguments, "kind")
    fingerprint = text_argument(arguments, "fingerprint", "")
    key = fingerprint or text_argument(arguments, "key")
    if kind not in _PARENTS or not _FINGERPRINT.match(key):
        raise CommandError("What is sent has to be models, data or wheels, with a fingerprint in hex.", "bad_request")
    sizes = _manifest(arguments.get("manifest"))
    final = _final_folder(home, kind, fingerprint[:16])
    if fingerprint and os.path.isdir(final):
        talk.send("have", offsets=sizes)
        return {"path": final}
    aside = os.path.join(uploads_folder(home, _PARENTS[kind]), key[:16])
    os.makedirs(aside, mode=0o700, exist_ok=True)
    arrival = Arrival(talk, aside, sizes)
    if fingerprint:
        arrival.take_hashes(_hashes({item["name"]: item.get("sha256") for item in arguments["manifest"]}, sizes))
    _check_room(os.path.dirname(final), sum(sizes.values()) - sum(arrival.offsets.values()))
    talk.send(
        "have", offsets=arrival.offsets, likely=not fingerprint and _is_like_one_of(os.path.dirname(final), sizes)
    )
    with arrival:
        while True:
            frame = arrival.take_chunks()
            if frame.kind == "end":
                break
            final = _final_folder(home, kind, _fingerprint_of(frame)[:16])
            arrival.take_hashes(_hashes(frame.head.get("sha256"), sizes))
            if os.path.isdir(final):
                shutil.rmtree(aside)
                return {"path": final}
            talk.send("have", offsets=arrival.offsets)
    arrival.verify()
    _put(aside, final)
    return {"path": final}


def _put(aside: str, final: str) -> None:
    try:
        os.rename(aside, final)
    except OSError:
        if not os.path.isdir(final):  # else another upload of the same was first
            raise
        shutil.rmtree(aside)
    sync_folder(os.path.dirname(final))


def _final_folder(home: str, kind: str, key: str) -> str:
    if kind == "wheels":
        return os.path.join(home, ENVIRONMENTS, SENT_WHEELS + key)
    return os.path.join(home, MODELS, key) if kind == "models" else os.path.join(home, DATA, "source-" + key)


def _is_like_one_of(parent: str, sizes: Dict[str, int]) -> bool:
    """Say whether a folder here holds files of these names and sizes."""

    def has_all(folder: str) -> bool:
        try:
            return all(os.stat(os.path.join(folder, name)).st_size == size for name, size in sizes.items())
        except OSError:
            return False

    return os.path.isdir(parent) and any(has_all(os.path.join(parent, name)) for name in os.listdir(parent))


def _fingerprint_of(frame: Frame) -> str:
    fingerprint = frame.head.get("fingerprint")
    if frame.kind != "hashes" or not isinstance(fingerprint, str) or not _FINGERPRINT.match(fingerprint):
        raise CommandError("Neither a chunk nor hashes with their fingerprint came.", "bad_request")
    return fingerprint


def _manifest(given: Any) -> Dict[str, int]:
    if not isinstance(given, list) or not given or len(given) > _MOST_FILES:
        raise CommandError("The manifest has to be a list of files.", "bad_request")
    found: Dict[str, int] = {}
    for item in given:
        name, size = (item.get("name"), item.get("size_bytes")) if isinstance(item, dict) else (None, None)
        if not isinstance(name, str) or not is_safe_name(name):
            raise CommandError("{!r} may not be the name of a file that is sent.".format(name), "bad_request")
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise CommandError("The manifest gives no size for {}.".format(name), "bad_request")
        found[name] = size
    if len(found) != len(given):
        raise CommandError("The manifest names a file twice.", "bad_request")
    return found


def _hashes(given: Any, sizes: Dict[str, int]) -> Dict[str, str]:
    for name in sizes:
        sha256 = given.get(name) if isinstance(given, dict) else None
        if not isinstance(sha256, str) or not _SHA256.match(sha256):
            raise CommandError("There is no SHA-256 for {}.".format(name), "bad_request")
    return {name: given[name] for name in sizes}


def is_safe_name(name: str) -> bool:
    """Say whether a relative name stays inside its folder on every system."""
    parts = name.split("/")
    return (
        0 < len(name.encode("utf-8", "surrogatepass")) <= 1024
        and not any(character in name for character in "\0\\\n")
        and all(part not in ("", ".", "..") and len(part.encode("utf-8", "surrogatepass")) <= 255 for part in parts)
    )


def _check_room(folder: str, needed: int) -> None:
    free = disk_free_bytes(folder)
    if needed > free:
        raise CommandError(
            "{} has {} MiB left and {} MiB are to be sent; free some space or place the folder elsewhere.".format(
                folder, free >> 20, needed >> 20
            ),
            "disk_full",
        )
