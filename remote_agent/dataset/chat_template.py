"""A model's chat template, compiled in the sandbox and with the extensions that transformers gives it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.runtime
import jinja2.sandbox
import jinja2.utils

from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.data_error import DataError

Span = tuple[int, int]
"""Start and end in characters, the end not included."""

_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
_FAILURES = (
    jinja2.TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError,
)  # fmt: skip


class ChatTemplate:
    """A template with the special tokens it may name.

    Attributes:
        marks_generation: it says with ``{% generation %}`` what the assistant writes.
        names_today: it writes the date of the day it is rendered on.
    """

    def __init__(self, text: str, special_tokens: Mapping[str, str]) -> None:
        """Compile. Raises DataError where the text is no template, with its line."""
        self.marks_generation = _GENERATION.search(text) is not None
        self.names_today = "strftime_now" in text
        self._special_tokens = dict(special_tokens)
        environment = _environment()
        tracker = environment.extensions[_GenerationBlocks.identifier]
        assert isinstance(tracker, _GenerationBlocks)
        self._tracker = tracker
        try:
            self._template = environment.from_string(text)
        except jinja2.TemplateSyntaxError as error:
            raise DataError(f"The chat template has an error at line {error.lineno}: {error.message}.") from None

    def render(self, turns: Sequence[Turn], add_generation_prompt: bool = False) -> str:
        """Return the text of the turns. Raises DataError with the template's own reason."""
        with _as_data_error():
            return self._template.render(self._variables(turns, add_generation_prompt))

    def render_with_spans(self, turns: Sequence[Turn]) -> tuple[str, list[Span]]:
        """Return the text and what lies between its generation markers. Raises DataError as `render`."""
        spans: list[Span] = []
        blocks: list[str] = []
        with _as_data_error(), self._tracker.following(blocks, spans):
            blocks.extend(self._template.generate(self._variables(turns, False)))
        return "".join(blocks), spans

    def _variables(self, turns: Sequence[Turn], add_generation_prompt: bool) -> dict[str, Any]:
        return {
            **self._special_tokens,
            "messages": [{"role": turn.role, "content": turn.content} for turn in turns],
            "tools": None,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }


@contextmanager
def _as_data_error() -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        raise DataError(
            f"the chat template refuses the row ({str(error).rstrip('.') or type(error).__name__})."
        ) from None


class _GenerationBlocks(jinja2.ext.Extension):
    """Notes where the text between ``{% generation %}`` and ``{% endgeneration %}`` stands."""

    tags = {"generation"}  # noqa: RUF012  jinja2 declares it so
    _blocks: list[str] | None = None
    _spans: list[Span] | None = None

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        """Turn the markers into a call of `_note`."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_note"), [], [], body).set_lineno(line)

    @contextmanager
    def following(self, blocks: list[str], spans: list[Span]) -> Iterator[None]:
        """Collect spans while ``blocks`` grows by what is rendered."""
        self._blocks, self._spans = blocks, spans
        try:
            yield
        finally:
            self._blocks = self._spans = None

    def _note(self, caller: jinja2.runtime.Macro) -> str:
        text: str = caller()
        if self._blocks is not None and self._spans is not None:
            start = sum(map(len, self._blocks))
            self._spans.append((start, start + len(text)))
        return text


def _environment() -> jinja2.sandbox.ImmutableSandboxedEnvironment:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationBlocks, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals.update(
        raise_exception=_raise_exception, strftime_now=_strftime_now, dict=_TemplateDict(), namespace=_Namespace
    )
    return environment


class _TemplateDict:
    """The ``dict`` of a template: makes dictionaries and shows nothing of Python's type."""

    def __call__(self, *arguments: Any, **values: Any) -> dict[Any, Any]:
        return dict(*arguments, **values)

    def fromkeys(self, keys: Any, value: Any = None) -> dict[Any, Any]:
        """Return a dictionary of the keys, each with the value."""
        return dict.fromkeys(keys, value)


class _Namespace(jinja2.utils.Namespace):
    """The ``namespace`` of a template, which takes no name that starts with an underscore."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            raise jinja2.exceptions.SecurityError(f"a namespace takes no underscore name such as {name!r}")
        super().__setitem__(name, value)


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _tojson(
    value: Any, ensure_ascii: bool = False, indent: int | None = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _strftime_now(layout: str) -> str:
    return datetime.now().astimezone().strftime(layout)
