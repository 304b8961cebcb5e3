"""The agent as one reproducible zip, named by its SHA-256; remote_agent is read as files, never imported."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import zipfile
from pathlib import Path

ENTRY = '''"""Starts the agent: puts its own folder first on the path and nothing else of the node's."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from remote_agent.__main__ import main  # noqa: E402

sys.exit(main())
'''

_DATE = (1980, 1, 1, 0, 0, 0)


@dataclasses.dataclass(frozen=True)
class AgentArchive:
    """The zip's bytes and their SHA-256 as 64 hex digits."""

    sha256: str
    data: bytes = dataclasses.field(repr=False)

    @functools.cached_property
    def tree(self) -> str:
        """Return one digest of the members' names and bytes, by which a node checks what it unpacked."""
        digest = hashlib.sha256()
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            for name in sorted(archive.namelist()):
                body = archive.read(name)
                digest.update(f"{name}\0{len(body)}\0".encode())
                digest.update(body)
        return digest.hexdigest()


def agent_source() -> Path:
    """Return the folder remote_agent that was installed beside the studio."""
    return Path(__file__).resolve().parents[2] / "remote_agent"


@functools.lru_cache(maxsize=4)
def agent_archive(source: Path | None = None) -> AgentArchive:
    """Pack the entry and every Python file below ``source``; equal files give equal bytes on every machine.

    Members are stored, not compressed: two versions of zlib would give two hashes of the same agent.

    Raises:
        FileNotFoundError: the folder holds no ``__main__.py``.
    """
    folder = source or agent_source()
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if path.is_file())
    if "__main__.py" not in names:
        raise FileNotFoundError(f"{folder} is not the agent: it holds no __main__.py")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "__main__.py", ENTRY.encode("ascii"))
        for name in names:
            _add(archive, "remote_agent/" + name, (folder / name).read_bytes().replace(b"\r\n", b"\n"))
    data = buffer.getvalue()
    return AgentArchive(hashlib.sha256(data).hexdigest(), data)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, _DATE)
    member.create_system = 3
    member.external_attr = 0o600 << 16
    archive.writestr(member, content)
