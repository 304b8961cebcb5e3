"""The command `environment`: the trainer's environment built of a lock's files, aside, and renamed when it is whole."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from typing import Any, Dict, List, Optional

from remote_agent.contract.environment_lock import (
    INSTALL,
    UV,
    BuiltEnvironment,
    EnvironmentLock,
    total_needed_bytes,
)
from remote_agent.contract.overlay import NO_OVERLAY
from remote_agent.contract.run_dir import ENVIRONMENTS
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.run_files.atomic_write import atomic_write, sync_folder
from remote_agent.supervisor.child import LastWords, child_environment, die_with_parent, kill_session
from remote_agent.supervisor.environment import BUILT_FROM
from remote_agent.supervisor.environment_files import EnvironmentFiles, checked_lock
from remote_agent.supervisor.interpreters import look_at
from remote_agent.supervisor.node_facts import disk_free_bytes
from remote_agent.supervisor.overlay import Base, lacking, lay_over, read_base, trial
from remote_agent.supervisor.receive import SENT_WHEELS
from remote_agent.supervisor.talk import CommandError, Talk, text_argument

SETTLE_S = 5.0
_TICK_S = 0.2


def environment(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer a `BuiltEnvironment`; the same lock's environment is found where it was built before.

    With ``collect`` the files alone are fetched, for sending them to a node without a way out; then ``{path}``.
    ``sent`` is the folder of such files here. What was fetched is kept where the build is cancelled or fails.

    Raises:
        CommandError: the lock is not for this machine, a file cannot be had, no Python, the disk is too small, what
            is built does not install, or the client cancelled.
    """
    try:
        lock = checked_lock(from_wire(EnvironmentLock, arguments.get("lock")))
    except ValueError as error:
        raise CommandError("The lock cannot be read: {}.".format(error), "bad_request") from None
    build = _Build(talk, os.path.join(home, ENVIRONMENTS), lock, text_argument(arguments, "sent", ""))
    if arguments.get("collect") is True:
        return {"path": build.collect()}
    return dict(to_wire(build.built()))


class _Build:
    """One lock's environment. Two calls for the same lock wait for each other."""

    def __init__(self, talk: Talk, root: str, lock: EnvironmentLock, sent: str) -> None:
        self._talk, self._root, self._lock = talk, root, lock
        self._sent = os.path.realpath(sent) if sent else ""
        self._files = os.path.join(root, ".files-" + lock.key)
        self._aside = os.path.join(root, ".new-" + lock.key)
        self._final = os.path.join(root, lock.key)
        self._cache = os.path.join(root, ".cache-" + lock.key)
        self._base: Optional[Base] = None
        self._begun = time.monotonic()

    def collect(self) -> str:
        """Fetch the files and return their folder."""
        held = self._hold()
        try:
            EnvironmentFiles(self._talk, self._lock, self._files, self._sent).bring()
        finally:
            os.close(held)
        return self._files

    def built(self) -> BuiltEnvironment:
        """Return the environment, built where it is not there yet."""
        self._talk.progress(INSTALL, 0, 0)
        found = self._found()
        if found is not None:
            return found
        self._check_machine()
        held = self._hold()
        try:
            found = self._found()  # whoever held it was building the same
            if found is not None:
                return found
            self._remove(self._final)
            if self._lock.over:
                self._base = read_base(self._lock.over)
                self._lock = lacking(self._lock, self._base)
            self._check_room()
            by_name = EnvironmentFiles(self._talk, self._lock, self._files, self._sent).bring()
            try:
                made = self._make(by_name)
            finally:
                self._remove(self._aside)
            self._remove(self._files)
            parent, name = os.path.split(self._sent)
            if name.startswith(SENT_WHEELS) and parent == os.path.realpath(self._root):
                self._remove(self._sent)
        finally:
            os.close(held)
        return made

    def _found(self) -> Optional[BuiltEnvironment]:
        python = os.path.join(self._final, "bin", "python")
        try:
            with open(os.path.join(self._final, BUILT_FROM), encoding="utf-8") as file:
                told = from_wire(BuiltEnvironment, json.load(file))
        except (OSError, ValueError):
            return None
        seen = look_at(python)
        if seen is None or (told.over and "torch" in seen.missing):
            return None  # the interpreter that it was built on is gone
        return told.at(python, False)

    def _check_machine(self) -> None:
        machine = platform.machine()
        if machine != self._lock.machine:
            raise CommandError(
                "The packages are for {} machines; this one is {}.".format(self._lock.machine, machine), "bad_request"
            )
        libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else ""
        version = (libc or "").rpartition(" ")[2]
        if not version or _parts(version) < _parts(self._lock.glibc):
            raise CommandError(
                "The packages need the C library glibc {} or later; this system has {}. Use a newer system or image, "
                "or make an environment there and name its Python.".format(self._lock.glibc, version or "another one"),
                "bad_request",
            )

    def _check_room(self) -> None:
        needed, free = total_needed_bytes(self._lock), disk_free_bytes(self._root)
        if needed > free:
            raise CommandError(
                "{} has {} MiB left and the environment takes about {} MiB while it is built (estimated); free some "
                "space or place the folder of the environments elsewhere.".format(self._root, free >> 20, needed >> 20),
                "disk_full",
            )

    def _hold(self) -> int:
        """Make the folder of the files and wait until no other call uses it; closing what is returned lets go."""
        while True:
            os.makedirs(self._files, mode=0o700, exist_ok=True)
            held = os.open(self._files, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                while not _locked(held):
                    self._talk.check()
                    self._talk.progress(INSTALL, 0, 0, "waiting for another build")
                    self._talk.aborted.wait(_TICK_S)
            except CommandError:
                os.close(held)
                raise
            if os.path.isdir(self._files) and os.path.samestat(os.fstat(held), os.stat(self._files)):
                return held
            os.close(held)  # whoever held it has removed it

    def _make(self, by_name: Dict[str, str]) -> BuiltEnvironment:
        self._remove(self._aside)
        uv = self._uv(by_name)
        packages = [file for file in self._lock.files if file.package != UV]
        self._run([uv, "venv", "--quiet", "--relocatable", "--python", self._python(), self._aside], 0)
        python = os.path.join(self._aside, "bin", "python")
        if self._base is not None:
            lay_over(self._aside, self._base)
        install = [uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "--no-index", "--compile-bytecode"]
        wheels = [by_name[file.name] for file in packages if file.is_wheel]
        if wheels:
            self._run([*install, *wheels], len(packages))
        for file in packages:
            if not file.is_wheel:  # what builds it was installed with the wheels
                self._run([*install, "--no-build-isolation", by_name[file.name]], len(packages))
        self._remove(self._cache)
        made = self._tried(python, len(packages))
        atomic_write(os.path.join(self._aside, BUILT_FROM), json.dumps(to_wire(made)).encode("utf-8"))
        # what is not on the disk by then is written by the system soon; a busy node's other data is not waited for
        settling = threading.Thread(target=os.sync, name="sync", daemon=True)
        settling.start()
        settling.join(SETTLE_S)
        os.rename(self._aside, self._final)
        sync_folder(self._root)
        return made.at(os.path.join(self._final, "bin", "python"), True)

    def _tried(self, python: str, packages: int) -> BuiltEnvironment:
        """Return what was built, once its Python starts; over another one, once it imports what training needs."""
        if self._base is not None:
            try:
                self._run(trial(python, bool(self._lock.cuda)), 0)
            except CommandError as error:
                self._talk.check()
                raise CommandError(
                    "The packages do not go together with those of {}; build an environment of its own "
                    "instead.\n{}".format(self._base.python, error.sentence.partition("\n")[2]),
                    NO_OVERLAY,
                ) from None
        seen = look_at(python)
        if seen is None:
            raise CommandError("The environment was built, and its Python does not start.", "failed")
        return BuiltEnvironment(
            "", os.path.basename(self._final), self._lock.name, seen.version, packages, made=True,
            took_s=round(time.monotonic() - self._begun, 1), over=self._lock.over, fetched_bytes=self._lock.size_bytes,
        )  # fmt: skip

    def _python(self) -> str:
        if self._base is not None:
            return self._base.python
        own = "{}.{}".format(*sys.version_info[:2])
        return sys.executable if own == self._lock.python else self._lock.python

    def _uv(self, by_name: Dict[str, str]) -> str:
        """Return the program uv: of the lock's files, else the node's own."""
        wheel = next((by_name[file.name] for file in self._lock.files if file.package == UV), "")
        if not wheel:
            found = shutil.which("uv")
            if found is None:
                raise CommandError("The node has no uv and the lock brings none.", "bad_request")
            return found
        target = os.path.join(self._files, "uv")
        with zipfile.ZipFile(wheel) as archive:
            inside = [name for name in archive.namelist() if name.endswith(".data/scripts/uv")]
            if len(inside) != 1:
                raise CommandError("{} holds no program uv.".format(os.path.basename(wheel)), "bad_request")
            with archive.open(inside[0]) as source, open(target, "wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
        os.chmod(target, 0o700)
        return target

    def _run(self, command: List[str], total: int) -> None:
        """Run a step of the build to its end, telling how many packages are installed."""
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self._environment(), start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip
        self._talk.when_aborted(lambda: kill_session(child))
        assert child.stdout is not None
        words = LastWords(child.stdout.fileno())
        while child.poll() is None:
            self._talk.progress(INSTALL, self._installed(), total, "packages" if total else "")
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_TICK_S)
        words.join()
        child.stdout.close()
        self._talk.check()
        if child.returncode != 0:
            how = "signal {}".format(signal.Signals(-child.returncode).name) if child.returncode < 0 else ""
            raise CommandError(
                "The environment could not be built ({} {} {}):\n{}".format(
                    os.path.basename(command[0]), command[1], how or "failed", words.text()
                )
            )

    def _installed(self) -> int:
        return len(glob.glob(os.path.join(glob.escape(self._aside), "lib", "*", "site-packages", "*.dist-info")))

    def _environment(self) -> Dict[str, str]:
        kept = {name: value for name, value in child_environment().items() if not name.startswith(("UV_", "PIP_"))}
        beside = os.path.join(self._aside, "bin")
        kept.update(
            # on the disk of the environment, so that files are linked into it instead of copied
            UV_CACHE_DIR=self._cache,
            UV_PYTHON_INSTALL_DIR=os.path.join(self._root, ".python"),
            UV_PYTHON_DOWNLOADS="never" if self._sent else "automatic",
            UV_NO_CONFIG="1",
            UV_LINK_MODE="hardlink",
            DS_BUILD_OPS="0",
            NO_COLOR="1",
            PATH=os.pathsep.join((beside, kept.get("PATH", os.defpath))),
        )
        kept.pop("VIRTUAL_ENV", None)
        return kept

    def _remove(self, folder: str) -> None:
        if os.path.islink(folder):
            os.unlink(folder)  # into where environments lay before
        elif os.path.lexists(folder):
            shutil.rmtree(folder)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _parts(version: str) -> List[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]
