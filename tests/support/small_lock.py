"""An environment lock of tiny packages, made in a folder and served on loopback as an index does."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import platform
import sys
import tarfile
import threading
import venv
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from remote_agent.contract.environment_lock import EnvironmentLock, LockedFile

# a build of its own, so that making a wheel of the source needs nothing installed
_BACKEND = """
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, about = "from_source-2.0-py3-none-any.whl", "from_source-2.0.dist-info/"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("from_source.py", "import small\\nVALUE = small.VALUE + 1\\n")
        wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\\nName: from-source\\nVersion: 2.0\\n")
        wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(about + "RECORD", "")
    return name
"""


class WheelServer(ThreadingHTTPServer):
    """Serves files by name with ranges. ``stall`` names the file that stops half way until ``go`` is set."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.asked: list[tuple[str, str]] = []
        self.stall = ""
        self.go, self.stalled = threading.Event(), threading.Event()

    def address(self, name: str) -> str:
        """Return where a file is served."""
        return f"http://127.0.0.1:{self.server_port}/packages/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: WheelServer

    def do_GET(self) -> None:
        if self.path.startswith("/simple/"):
            self._list(self.path.removeprefix("/simple/").strip("/"))
            return
        name = self.path.rsplit("/", 1)[1]
        wanted = self.headers.get("Range", "")
        self.server.asked.append((name, wanted))
        body = self.server.files.get(name)
        if body is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        rest = body[start:]
        if name == self.server.stall:
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            self.server.stalled.set()
            self.server.go.wait(30)
            return
        self.wfile.write(rest)

    def _list(self, package: str) -> None:
        """Answer with the files of a package as an index does (PEP 503)."""
        found = [name for name in self.server.files if name.split("-")[0].replace("_", "-") == package]
        page = "".join(
            f'<a href="/packages/{name}#sha256={hashlib.sha256(self.server.files[name]).hexdigest()}">{name}</a>\n'
            for name in found
        ).encode("ascii")
        if not found:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *arguments: object) -> None:
        """Stay silent."""


@dataclasses.dataclass
class SmallLock:
    """The lock, its server, and a folder with the same files."""

    lock: EnvironmentLock
    server: WheelServer
    folder: Path


def small_files() -> dict[str, bytes]:
    """Return a wheel, a source archive, and uv as a wheel brings it."""
    uv = Path(sys.executable).parent / "uv"
    return {
        "small-1.0-py3-none-any.whl": _wheel("small", "1.0", {"small.py": b"VALUE = 41\n"}),
        "from_source-2.0.tar.gz": _source(),
        "uv-1.0-py3-none-any.whl": _wheel("uv", "1.0", {"uv-1.0.data/scripts/uv": uv.read_bytes()}),
    }


def serve_small_lock(folder: Path) -> SmallLock:
    """Make the files and begin to serve them; the caller shuts the server down."""
    folder.mkdir()
    files = small_files()
    server = WheelServer(files)
    threading.Thread(target=server.serve_forever, args=(0.05,), name="wheels", daemon=True).start()
    locked = []
    for name, body in files.items():
        (folder / name).write_bytes(body)
        package, version = name.removesuffix(".tar.gz").split("-")[:2]
        locked.append(
            LockedFile(
                package.replace("_", "-"), version, name, server.address(name), len(body),
                hashlib.sha256(body).hexdigest(),
            )
        )  # fmt: skip
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return SmallLock(EnvironmentLock("small", python, platform.machine(), "2.17", tuple(locked)), server, folder)


def python_with_torch(folder: Path, code: str) -> str:
    """Return a virtual environment's Python that has a torch of one file."""
    venv.create(folder, symlinks=True)
    (packages,) = (folder / "lib").glob("python3*/site-packages")
    about = packages / "torch-2.13.0.dist-info"
    for made in (packages / "torch", about):
        made.mkdir()
    (packages / "torch" / "__init__.py").write_text(code, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0\n", encoding="utf-8")
    return str(folder / "bin" / "python")


def _wheel(package: str, version: str, members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    about = f"{package}-{version}.dist-info"
    with zipfile.ZipFile(buffer, "w") as wheel:
        for name, body in members.items():
            wheel.writestr(name, body)
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return buffer.getvalue()


def _source() -> bytes:
    project = (
        '[build-system]\nrequires = []\nbuild-backend = "making"\nbackend-path = ["."]\n'
        '[project]\nname = "from-source"\nversion = "2.0"\n'
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in (("pyproject.toml", project), ("making.py", _BACKEND)):
            member = tarfile.TarInfo(f"from_source-2.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode("ascii")))
    return buffer.getvalue()
