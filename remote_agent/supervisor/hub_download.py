"""Run by the environment's Python, which has huggingface_hub: fetches a model's files and answers in frames.

Only what training needs is fetched: configuration, tokenizer, template and safetensors, never pickles. The agent has
no huggingface_hub and imports nothing from here.
"""

from __future__ import annotations

import fcntl
import glob
import importlib
import os
import shutil
import sys
import threading
from typing import Any, Dict, List, NamedTuple, Set

if __name__ == "__main__":
    # under -I a file's own folder is not on the path; the package lies two levels above it
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from remote_agent.contract.frames import Frame, FrameReader, encode_frame
from remote_agent.contract.hub_errors import HubError, Refusal, refusal
from remote_agent.contract.run_dir import MODELS, hub_model_folder
from remote_agent.run_files.atomic_write import sync_folder, write_all
from remote_agent.run_files.manifest import file_sha256
from remote_agent.supervisor.hub import SECRET
from remote_agent.supervisor.node_facts import disk_free_bytes
from remote_agent.supervisor.node_folders import uploads_folder
from remote_agent.supervisor.node_survey import hub_cache

WORKERS = 4
_LOOK_S = 0.3
_LOCK_POLL_S = 0.2
_ENDINGS = (".json", ".jinja", ".safetensors")
_TOKENIZER_FILES = ("merges.txt", "vocab.txt", "tokenizer.model")
_FOREIGN_WEIGHTS = "consolidated"


class Answer:
    """The frames that go back, under one lock; whatever a library prints goes to standard error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._sending = threading.Lock()

    def send(self, frame: str, **head: Any) -> None:
        """Send a frame of a kind."""
        with self._sending:
            write_all(self._descriptor, encode_frame(Frame(dict(head, frame=frame))))

    def progress(self, phase: str, done: float, total: float) -> None:
        """Send how many bytes of a phase are done."""
        self.send("progress", phase=phase, done=done, total=total, unit="bytes")


class Wanted(NamedTuple):
    """A file of the model: ``size_bytes`` is -1 and ``sha256`` empty where the Hub does not tell."""

    name: str
    size_bytes: int
    sha256: str


def main() -> int:
    """Answer the request on standard input; return the exit code."""
    answer = Answer(os.dup(1))
    os.dup2(2, 1)
    frames: List[Frame] = []
    reader = FrameReader()
    while not frames:
        data = os.read(0, 1 << 16)
        if not data:
            return 1
        frames = reader.feed(data)
    asked = frames[0].head["arguments"]
    try:
        answer.send("result", value=_fetch(answer, asked))
        return 0
    except HubError as error:
        sentence, kind = error.refusal
    except Exception as error:  # noqa: BLE001 the Hub's library raises its own and those of what it is built on
        about = Refusal(asked["repo"], asked["revision"], _endpoint(), bool(os.environ.get(SECRET)), asked["python"])
        sentence, kind = refusal(error, about)
    answer.send("error", sentence=sentence, kind=kind)
    return 1


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _fetch(answer: Answer, asked: Dict[str, str]) -> Dict[str, str]:
    """Resolve the revision, fetch what is missing of it, verify it and put it in its place."""
    answer.progress("asking the Hub", 0, 0)
    library = importlib.import_module("huggingface_hub")
    repo = asked["repo"]
    token = os.environ.get(SECRET) or False
    info = library.HfApi().model_info(repo, revision=asked["revision"] or None, files_metadata=True, token=token)
    commit = str(info.sha)
    final = os.path.join(asked["home"], MODELS, hub_model_folder(repo, commit))
    value = {"repo": repo, "revision": commit, "path": final}
    if os.path.isdir(final):
        return value
    if getattr(info, "gated", False):
        # everybody may see what a gated model holds; whether this account may have it is asked before any file is
        library.HfApi().auth_check(repo, token=token)
    wanted = choose_files(repo, info.siblings or [])
    aside = os.path.join(uploads_folder(asked["home"], MODELS), os.path.basename(final))
    os.makedirs(aside, mode=0o700, exist_ok=True)
    held = os.open(aside, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _wait_for(answer, held)
        if os.path.isdir(final):  # whoever held it was fetching the same
            return value
        _remove_leftovers(aside)
        cached = _take_from_cache(answer, aside, wanted, repo, commit)
        _check_room(aside, wanted)
        with _Watch(answer, aside, wanted):
            library.snapshot_download(
                repo, revision=commit, local_dir=aside, token=token, max_workers=WORKERS,
                # the library takes what its cache holds unseen, and so a damaged file again and again
                cache_dir=os.path.join(aside, ".cache", "unused"),
                allow_patterns=[glob.escape(item.name) for item in wanted if item.name not in cached],
            )  # fmt: skip
        _settle(answer, aside, wanted)
        os.rename(aside, final)
        sync_folder(os.path.dirname(final))
    finally:
        os.close(held)
    return value


def choose_files(repo: str, siblings: List[Any]) -> List[Wanted]:
    """Return the files to fetch of those that the Hub lists. Raises HubError where they are no model to train."""
    top = {str(item.rfilename): item for item in siblings if "/" not in str(item.rfilename)}
    names = sorted(name for name in top if name.endswith(_ENDINGS) or name in _TOKENIZER_FILES)
    weights = [name for name in names if name.endswith(".safetensors")]
    own = [name for name in weights if not name.startswith(_FOREIGN_WEIGHTS)]
    if own:
        # the same weights once more, in the layout of another program
        names = [name for name in names if name in own or not name.startswith(_FOREIGN_WEIGHTS)]
    if "config.json" not in top:
        raise HubError("{} has no config.json, so it is no model that transformers loads.".format(repo), "bad_request")
    if not weights:
        pickled = any(name.endswith((".bin", ".pt", ".pth")) for name in top)
        why = "its weights are pickle files only, which can run code when opened" if pickled else "it holds no weights"
        raise HubError(
            "{} has no safetensors: {}. Choose a revision or another model that has them.".format(repo, why),
            "bad_request",
        )
    return [_wanted(name, top[name]) for name in names]


def _wanted(name: str, sibling: Any) -> Wanted:
    size, lfs = getattr(sibling, "size", None), getattr(sibling, "lfs", None)
    sha256 = getattr(lfs, "sha256", "") if lfs is not None else ""
    return Wanted(name, size if isinstance(size, int) else -1, str(sha256 or ""))


def _wait_for(answer: Answer, held: int) -> None:
    """Wait until no other call fetches the same."""
    pause = threading.Event()
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            answer.progress("waiting for another download", 0, 0)
            pause.wait(_LOCK_POLL_S)


def _remove_leftovers(aside: str) -> None:
    """Remove the pieces of a download that was killed: the library begins a file anew under another name."""
    for parent, _, names in os.walk(aside):
        for name in names:
            if name.endswith(".incomplete"):
                os.unlink(os.path.join(parent, name))


def _check_room(aside: str, wanted: List[Wanted]) -> None:
    there = sum(_size(os.path.join(aside, item.name)) for item in wanted)
    needed = sum(max(0, item.size_bytes) for item in wanted) - there
    free = disk_free_bytes(aside)
    if needed > free:
        raise HubError(
            "{} has {} MiB left and {} MiB are to be fetched; free some space or place the folder elsewhere.".format(
                aside, free >> 20, needed >> 20
            ),
            "disk_full",
        )


def _take_from_cache(answer: Answer, aside: str, wanted: List[Wanted], repo: str, commit: str) -> Set[str]:
    """Link or copy the large files that the Hub's own cache on the node holds of the commit; return their names.

    Only files with a hash are taken, and only where it holds; what the cache has is never changed.
    """
    cache, _ = hub_cache()
    folder = os.path.join(cache, "models--" + repo.replace("/", "--"), "snapshots", commit)
    taken: Set[str] = set()
    for item in wanted if cache else ():
        source, target = os.path.realpath(os.path.join(folder, item.name)), os.path.join(aside, item.name)
        if not item.sha256 or os.path.lexists(target) or not os.path.isfile(source):
            continue
        answer.progress("verifying", 0, 0)
        if not _is_whole(source, item):
            continue
        try:
            os.link(source, target)
        except OSError:  # on another disk
            shutil.copyfile(source, target)
        taken.add(item.name)
    return taken


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


class _Watch:
    """Tells by the growth of the folder how far a download is, whatever way the library takes."""

    def __init__(self, answer: Answer, aside: str, wanted: List[Wanted]) -> None:
        self._answer = answer
        self._aside = aside
        self._names = [item.name for item in wanted]
        self._total = sum(max(0, item.size_bytes) for item in wanted)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._answer.progress("downloading", min(self._fetched(), self._total), self._total)

    def _fetched(self) -> int:
        done = sum(_size(os.path.join(self._aside, name)) for name in self._names)
        for parent, _, names in os.walk(os.path.join(self._aside, ".cache")):
            done += sum(_size(os.path.join(parent, name)) for name in names if name.endswith(".incomplete"))
        return done


def _settle(answer: Answer, aside: str, wanted: List[Wanted]) -> None:
    """Verify and sync what was fetched, and remove everything else. Raises HubError where a file is not the Hub's."""
    total = sum(max(0, item.size_bytes) for item in wanted)
    done = 0
    for item in wanted:
        answer.progress("verifying", done, total)
        path = os.path.join(aside, item.name)
        if not _is_whole(path, item):
            came = os.path.lexists(path)
            if came:
                os.unlink(path)
            how = "arrived damaged" if came else "did not arrive"
            raise HubError("{} {}; try again, the rest is kept.".format(item.name, how), "failed")
        done += max(0, item.size_bytes)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        os.fsync(descriptor)
        os.close(descriptor)
    kept = {item.name for item in wanted}
    for name in os.listdir(aside):
        path = os.path.join(aside, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif name not in kept:
            os.unlink(path)
    sync_folder(aside)


def _is_whole(path: str, item: Wanted) -> bool:
    if not os.path.isfile(path) or os.path.islink(path):
        return False
    if item.size_bytes >= 0 and os.path.getsize(path) != item.size_bytes:
        return False
    return not item.sha256 or file_sha256(path) == item.sha256


if __name__ == "__main__":
    sys.exit(main())
