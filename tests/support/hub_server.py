"""A small Hub on loopback: the part of its API that snapshot_download and the streaming of datasets ask for."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_AUTH = re.compile(r"/api/(models|datasets)/(?P<repo>[^/]+/[^/]+)/auth-check(?P<revision>)\Z")
_INFO = re.compile(r"/api/(models|datasets)/(?P<repo>[^/]+/[^/]+)(/revision/(?P<revision>[^/]+))?\Z")
_TREE = re.compile(r"/api/(models|datasets)/(?P<repo>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)(/(?P<folder>.+))?\Z")
_PATHS = re.compile(r"/api/(models|datasets)/(?P<repo>[^/]+/[^/]+)/paths-info/(?P<revision>[^/]+)\Z")
_FILE = re.compile(r"(/datasets)?/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>.+)\Z")


@dataclasses.dataclass
class HubModel:
    """A model or data set on the Hub.

    ``access``: "open", "gated" (its files need the token ``hf_good``) or "private" (all does).
    ``stall``: the file whose body stops half way until ``go`` is set.
    """

    files: dict[str, bytes]
    access: str = "open"
    stall: str = ""
    damaged: str = ""
    go: threading.Event = dataclasses.field(default_factory=threading.Event)
    stalled: threading.Event = dataclasses.field(default_factory=threading.Event)


class HubServer(ThreadingHTTPServer):
    """Serves models and data sets by their ids. ``asked`` holds (method, path, authorization) of every request."""

    daemon_threads = True

    def __init__(self, models: dict[str, HubModel]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models = models
        self.asked: list[tuple[str, str, str]] = []
        self.fails_with = 0

    @property
    def url(self) -> str:
        """Return the endpoint."""
        return f"http://127.0.0.1:{self.server_port}"

    def bodies_of(self, name: str) -> int:
        """Return how often a file's body was asked for."""
        return sum(method == "GET" and path.endswith("/" + name) for method, path, _ in self.asked)


@contextlib.contextmanager
def running_hub(models: dict[str, HubModel]) -> Iterator[HubServer]:
    """Serve until the block ends."""
    server = HubServer(models)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        for model in models.values():
            model.go.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def hub_for_test(models: dict[str, HubModel], hf_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """Serve models and let what this process starts find them; its cache and token are those of ``hf_home``."""
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(hf_home))
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "100")
    with running_hub(models) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


class _Handler(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._asked_paths = parse_qs(body.decode()).get("paths", [])
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        return

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.server.asked.append((self.command, path, token))
        ways = (
            (_AUTH, self._auth), (_INFO, self._info), (_TREE, self._tree), (_PATHS, self._paths), (_FILE, self._file),
        )  # fmt: skip
        for pattern, answer in ways:
            found = pattern.match(path)
            if found is not None:
                self._admit(found.groupdict(), token, answer)
                return
        self._refuse(404)

    def _admit(self, parts: dict[str, Any], token: str, answer: Callable[[HubModel, dict[str, Any]], None]) -> None:
        model = self.server.models.get(parts["repo"])
        if self.server.fails_with:
            self._refuse(self.server.fails_with)
        elif token and token not in ("hf_good", "hf_stranger"):
            self._refuse(401, message="Invalid credentials in Authorization header")
        elif model is None or (model.access == "private" and token != "hf_good"):
            self._refuse(404 if token else 401, "RepoNotFound" if token else "")
        elif parts["revision"] not in (None, "", "main", COMMIT):
            self._refuse(404, "RevisionNotFound")
        else:
            answer(model, parts)

    def _info(self, model: HubModel, parts: dict[str, Any]) -> None:
        siblings = [{"rfilename": name, "size": len(body), **_lfs(name, body)} for name, body in model.files.items()]
        gated = "manual" if model.access == "gated" else False
        told = {"id": parts["repo"], "modelId": parts["repo"], "sha": COMMIT, "siblings": siblings, "tags": []}
        self._json({**told, "gated": gated})

    def _auth(self, model: HubModel, parts: dict[str, Any]) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if model.access == "gated" and token != "hf_good":
            self._refuse(403 if token else 401, "GatedRepo")
        else:
            self._json({})

    def _tree(self, model: HubModel, parts: dict[str, Any]) -> None:
        """List a folder's own entries, as the Hub does where it is not asked for all below it."""
        folder = f"{parts['folder']}/" if parts["folder"] else ""
        deep = "recursive=true" in self.path.lower()
        below = {name: body for name, body in model.files.items() if name.startswith(folder)}
        folders = sorted({folder + name[len(folder) :].split("/")[0] for name in below if "/" in name[len(folder) :]})
        entries: list[dict[str, Any]] = [
            {"type": "directory", "oid": "0" * 40, "size": 0, "path": name} for name in folders
        ]
        entries += [_entry(name, body) for name, body in below.items() if deep or "/" not in name[len(folder) :]]
        if below:
            self._json(entries)
        else:
            self._refuse(404, "EntryNotFound")

    def _paths(self, model: HubModel, parts: dict[str, Any]) -> None:
        self._json([_entry(name, model.files[name]) for name in self._asked_paths if name in model.files])

    def _file(self, model: HubModel, parts: dict[str, Any]) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if model.access == "gated" and token != "hf_good":
            self._refuse(403 if token else 401, "GatedRepo")
        elif parts["name"] not in model.files:
            self._refuse(404, "EntryNotFound")
        else:
            self._send_file(model, parts["name"])

    def _send_file(self, model: HubModel, name: str) -> None:
        body = model.files[name]
        etag = _lfs(name, body).get("lfs", {}).get("sha256") or hashlib.sha1(body).hexdigest()
        start = int((self.headers.get("Range") or "bytes=0-")[6:].partition("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if self.command == "GET":
            sent = body[start:] if model.damaged != name else bytes(len(body) - start)
            self._send_body(model, name, sent)

    def _send_body(self, model: HubModel, name: str, body: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            if model.stall == name:
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                model.stalled.set()
                model.go.wait()
                body = body[len(body) // 2 :]
            self.wfile.write(body)

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _refuse(self, status: int, code: str = "", message: str = "") -> None:
        self.send_response(status)
        for name, value in (("X-Error-Code", code), ("X-Error-Message", message)):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _entry(name: str, body: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "oid": hashlib.sha1(body).hexdigest(), "size": len(body), "path": name}
    lfs = _lfs(name, body).get("lfs")
    return entry | ({"lfs": {**lfs, "oid": lfs["sha256"]}} if lfs else {})


def _lfs(name: str, body: bytes) -> dict[str, Any]:
    if not name.endswith((".safetensors", ".bin")):
        return {}
    return {"lfs": {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "pointerSize": 134}}
