"""The demo's real model and data, made once into the user's cache and shared by the tests."""

from __future__ import annotations

import platformdirs

from studio.demo.inputs import DemoInputs, demo_inputs


def real_inputs() -> DemoInputs:
    """Return the converted model's folder and the docstring pairs; the first call takes half a minute."""
    return demo_inputs(platformdirs.user_cache_path("luthier-tests", appauthor=False) / "demo", lambda *_: None)
