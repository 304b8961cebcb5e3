"""`make demo`: the studio with the demo job loaded; without a display the whole job runs by itself."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.progress import Progress as ProgressBar
from rich.progress import TaskID

from studio import places
from studio.demo.inputs import DemoError, OnProgress, demo_inputs, demo_job
from studio.job_file import write_job_file
from studio.remote.transport import NodeAddress

SSH_NODE = "demo over SSH"


def main() -> int:
    """Run the demo and return its exit code: 0 finished, 1 not finished, 2 the inputs are missing."""
    parser = argparse.ArgumentParser(prog="python -m studio.demo", description="Run the main job from end to end.")
    parser.add_argument("--node", choices=("local", "ssh"), default="local", help="this computer, or a private sshd")
    parser.add_argument("--out", type=Path, default=Path("demo-output"), help="where a run without display writes to")
    asked = parser.parse_args()
    headless = os.environ.get("HEADLESS", "") not in ("", "0") or not _has_display()
    cache = places.cache_dir() / "demo"
    try:
        with _bar() as on_progress:
            inputs = demo_inputs(cache, on_progress)
    except DemoError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    job_file = cache / "python-docs.yaml"
    write_job_file(job_file, demo_job(inputs, os.cpu_count() or 1, _memory_bytes()))
    if headless:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        os.environ["LUTHIER_HOME"] = str(_own_home(cache))
    with _node(asked.node) as (address, agent_home):
        return _open(job_file, address, agent_home, asked.out if headless else None)


def _open(job_file: Path, address: NodeAddress | None, agent_home: Path, out: Path | None) -> int:
    from studio.app import make_application, open_window
    from studio.demo.headless import DemoRun, drive, hush_the_offscreen_plugin, open_demo_job
    from studio.session.opening import open_session
    from studio.session.reach import LOCAL_NODE

    if out is not None:
        hush_the_offscreen_plugin()
    application = make_application(sys.argv[:1])
    session = open_session()
    open_demo_job(session, job_file)
    if address is None:
        session.choose_node(LOCAL_NODE)
    window = open_window(session)
    try:
        if out is not None:
            return drive(application, window, DemoRun(address, agent_home), out)
        if address is not None:
            session.add_node(address)
            session.choose_node(address.name)
        return application.exec()
    finally:
        window.close()
        session.close()
        window.deleteLater()
        session.deleteLater()
        application.processEvents()


@contextlib.contextmanager
def _node(kind: str) -> Iterator[tuple[NodeAddress | None, Path]]:
    if kind == "local":
        yield None, Path(places.agent_home())
        return
    from studio.demo.private_sshd import PrivateSshd

    with tempfile.TemporaryDirectory(prefix="luthier-sshd-") as folder, PrivateSshd(Path(folder)) as server:
        home = Path(places.agent_home())
        yield (
            NodeAddress(
                name=SSH_NODE,
                kind="ssh",
                host=server.host,
                port=server.port,
                user=server.user,
                identity_file=str(server.identity_file),
                home=str(home),
                python=sys.executable,
            ),
            home,
        )


@contextlib.contextmanager
def _bar() -> Iterator[OnProgress]:
    with ProgressBar(transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(phase: str, done: float, total: float) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase, total=total or None)
            bar.update(tasks[phase], completed=done, total=total or None)

        yield show


def _own_home(cache: Path) -> Path:
    """Return the home of runs without display: a fresh library each time, the node's prepared environment kept."""
    home = cache / "home"
    for name in ("data", "config"):
        shutil.rmtree(home / name, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _memory_bytes() -> int:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0


if __name__ == "__main__":
    sys.exit(main())
