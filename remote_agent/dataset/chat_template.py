"""A model's chat template, rendered as transformers renders it, in a sandbox that ends."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.runtime

from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.opaque_contents import writes_contents_as_they_are
from remote_agent.dataset.template_sandbox import BoundedSandbox, EndlessError, OverBudgetError

Span = tuple[int, int]
"""Start and end in characters, the end not included."""

LONGEST_TEMPLATE = 1 << 20
_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
_FAILURES = (
    jinja2.TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError,
    MemoryError,
)  # fmt: skip
_MOST_OVERRUNS = 2
_REASONING = ("reasoning_content", "thinking", "reasoning")
"""Names of what the assistant thought, as transformers knows them; the first is the one that templates read."""


class ChatTemplate:
    """A template with the special tokens it may name.

    Attributes:
        marks_generation: it says with ``{% generation %}`` what the assistant writes.
        names_today: it writes the date of the day it is rendered on.
        reads_tools, reads_calls: it names the functions there are, and the calls that the assistant makes.
        is_opaque: what it writes around contents follows from the roles of the turns alone.
    """

    def __init__(self, text: str, special_tokens: Mapping[str, str]) -> None:
        """Compile. Raises DataError where the text is no template, with its line."""
        self.marks_generation = _GENERATION.search(text) is not None
        self.names_today = "strftime_now" in text
        self.reads_tools = re.search(r"\btools\b", text) is not None
        self.reads_calls = "tool_calls" in text
        self._special_tokens = dict(special_tokens)
        self._overruns = 0
        self._arguments_as_text: bool | None = None
        self._lock = threading.RLock()
        if len(text) > LONGEST_TEMPLATE:
            raise DataError(f"The chat template has {len(text):,} characters; it is no template. Choose another.")
        self._environment = BoundedSandbox([_GenerationBlocks])
        tracker = self._environment.extensions[_GenerationBlocks.identifier]
        assert isinstance(tracker, _GenerationBlocks)
        self._tracker = tracker
        try:
            self._template = self._environment.from_string(text)
            self.is_opaque = not self.names_today and writes_contents_as_they_are(self._environment.tree(text))
        except jinja2.TemplateSyntaxError as error:
            raise DataError(f"The chat template has an error at line {error.lineno}: {error.message}.") from None
        except (OverBudgetError, *_FAILURES) as error:
            raise DataError(f"The chat template cannot be compiled ({_reason(error)}).") from None
        self._globals = dict(self._template.globals)

    def render(
        self, turns: Sequence[Turn], add_generation_prompt: bool = False, tools: Sequence[Mapping[str, Any]] = ()
    ) -> str:
        """Return the text of the turns. Raises DataError with the template's own reason."""
        variables = self._variables(turns, add_generation_prompt, tools)
        with self._lock:
            self._begin(turns)
            try:
                return self._environment.concat(self._blocks(variables))
            except (OverBudgetError, *_FAILURES) as error:
                raise self._failure(error) from None

    def render_with_spans(
        self, turns: Sequence[Turn], tools: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[str, list[Span]]:
        """Return the text and what lies between its generation markers. Raises DataError as `render`."""
        spans: list[Span] = []
        blocks = _Blocks()
        variables = self._variables(turns, False, tools)
        with self._lock, self._tracker.following(blocks, spans):
            self._begin(turns)
            try:
                for block in self._blocks(variables):
                    blocks.append(block)
                return self._environment.concat(blocks), spans
            except (OverBudgetError, *_FAILURES) as error:
                raise self._failure(error) from None

    def _variables(
        self, turns: Sequence[Turn], add_generation_prompt: bool, tools: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        return {
            **self._special_tokens,
            "messages": [
                self._message(turn) if turn.extra else {"role": turn.role, "content": turn.content}
                for turn in turns
            ],
            "tools": list(tools) or None,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }  # fmt: skip

    def _message(self, turn: Turn) -> dict[str, Any]:
        """Return a message with its further fields as transformers passes them: what is null is not there at all."""
        extra = dict(turn.extra)
        reasoning = next((extra[name] for name in _REASONING if extra.get(name) is not None), None)
        if reasoning is not None:
            extra = {"thinking": reasoning, **extra, "reasoning_content": reasoning}
        if extra.get("tool_calls") and self._wants_text():
            extra["tool_calls"] = [_with_text(call) for call in extra["tool_calls"]]
        message = {"role": turn.role, "content": turn.content, **extra}
        return {name: value for name, value in message.items() if value is not None}

    def _wants_text(self) -> bool:
        """Say whether the template takes a call's arguments as JSON text only: it fails on an object, not on text."""
        if self._arguments_as_text is None:
            self._arguments_as_text = False
            if not self._renders_a_call():
                self._arguments_as_text = True
                self._arguments_as_text = self._renders_a_call()
        return self._arguments_as_text

    def _renders_a_call(self) -> bool:
        function = {"name": "f", "arguments": {"x": 1}}
        calls = [{"id": "call00001", "type": "function", "function": function}]
        for content in (None, ""):
            try:
                self.render([Turn("user", "a"), Turn("assistant", "", {"tool_calls": calls, "content": content})])
            except DataError:
                continue
            return True
        return False

    def _blocks(self, variables: dict[str, Any]) -> Iterator[str]:
        # As Template.generate does, without its copies and without rewriting tracebacks.
        context = self._environment.context_class(
            self._environment, {**self._globals, **variables}, self._template.name, self._template.blocks
        )
        return self._template.root_render_func(context)

    def _begin(self, turns: Sequence[Turn]) -> None:
        if self._overruns >= _MOST_OVERRUNS:
            raise DataError("the chat template did not end on earlier rows, so it is not tried any more.")
        self._environment.budget.start(sum([len(turn.content) for turn in turns]))

    def _failure(self, error: Exception) -> DataError:
        if isinstance(error, OverBudgetError):
            # What grows is stopped at once; what loops has cost seconds, on every row anew.
            self._overruns += isinstance(error, EndlessError)
            return DataError(f"the chat template was stopped: {error}. Choose another template.")
        return DataError(f"the chat template refuses the row ({_reason(error)}).")


def _reason(error: Exception) -> str:
    return str(error).rstrip(".")[:500] or type(error).__name__


def _with_text(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call["function"]
    if isinstance(function["arguments"], str):
        return dict(call)
    return {**call, "function": {**function, "arguments": json.dumps(function["arguments"], ensure_ascii=False)}}


class _Blocks(list[str]):
    """What was rendered so far, and how long it is."""

    length = 0

    def append(self, block: str) -> None:
        """Add a block."""
        super().append(block)
        self.length += len(block)


class _GenerationBlocks(jinja2.ext.Extension):
    """Notes where the text between ``{% generation %}`` and ``{% endgeneration %}`` stands."""

    tags = {"generation"}  # noqa: RUF012  jinja2 declares it so
    _blocks: _Blocks | None = None
    _spans: list[Span] | None = None

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        """Turn the markers into a call of `_note`."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_note"), [], [], body).set_lineno(line)

    @contextmanager
    def following(self, blocks: _Blocks, spans: list[Span]) -> Iterator[None]:
        """Collect spans while ``blocks`` grows by what is rendered."""
        self._blocks, self._spans = blocks, spans
        try:
            yield
        finally:
            self._blocks = self._spans = None

    def _note(self, caller: jinja2.runtime.Macro) -> str:
        text: str = caller()
        if self._blocks is not None and self._spans is not None:
            start = self._blocks.length
            self._spans.append((start, start + len(text)))
        return text
