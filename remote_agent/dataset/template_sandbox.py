"""A Jinja sandbox for templates nobody has read: it reaches nothing, and it ends, whatever the template does.

jinja2's own sandbox keeps a template from Python's internals, but lets it loop for hours and double a string until
memory ends. Here everything by which a template can go on or grow is counted against the budget of one rendering: each
turn of a loop and each call of a macro, and the size of every text or list that an operator, a filter, a method or a
block makes; a list counts with all it holds, so that lists of lists cannot double. The time is the thread's own
processor time, so that a machine that stands still costs nobody a row.
"""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from types import BuiltinMethodType
from typing import Any

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.runtime
import jinja2.sandbox
import jinja2.utils
import jinja2.visitor

MOST_SECONDS = 5.0
MOST_TURNS = 1_000_000
MOST_CHARACTERS = 1 << 26
"""Of everything a rendering makes, whether it is kept or not, beside 16 times what it is given."""

_CHECK_EVERY = 64
_SMALL = 1 << 12
_MOST_ITEMS = 1 << 20
_LARGEST_NUMBER = 1 << 20
_MOST_DIGITS = 4_000
_WIDE_PERCENT = re.compile(r"%[^a-zA-Z%]*(?:\*|\d{5})")
_WIDE_BRACES = re.compile(r"\{[^{}]*(?:\d{5}|\{)")
_TOO_MUCH = "it makes more text than memory should hold"
_COUNT, _ADD, _JOIN, _WEIGH = "count a turn", "add", "join text", "weigh"
_DICT_ATTRIBUTES = frozenset(dir(dict))
_LOOP_ATTRIBUTES = frozenset(("first", "last", "index", "index0", "length", "revindex", "revindex0", "depth", "depth0"))
_SIZED_FILTERS = ("center", "indent", "batch", "slice", "wordwrap", "truncate", "round")
_LOOKING_METHODS = ("find", "rfind", "index", "rindex", "count", "startswith", "endswith")
_PADDING_METHODS = ("center", "ljust", "rjust", "zfill", "expandtabs")


class OverBudgetError(Exception):
    """A rendering took too long or made too much."""


class EndlessError(OverBudgetError):
    """A rendering took too long."""


class Budget:
    """What one rendering may still use; `start` begins anew."""

    def __init__(self) -> None:
        self.start()

    def start(self, given: int = 0) -> None:
        """Start counting, for a rendering that is given so many characters.

        The clock is first read once a rendering is no short one.
        """
        self._turns = 0
        self._left = MOST_CHARACTERS + 16 * given
        self._deadline = 0.0

    def turn(self, _: object = None) -> str:
        """Count one turn of a loop. Raises OverBudgetError."""
        self._turns += 1
        if self._turns % _CHECK_EVERY == 0:
            self.check_time()
            if self._turns > MOST_TURNS:
                raise EndlessError("it does not come to an end")
        return ""

    def made(self, size: int) -> None:
        """Count characters that are about to be made; an item of a list is 8 of them. Raises OverBudgetError."""
        if size > _SMALL:
            self._left -= size
            if self._left < 0:
                raise OverBudgetError(_TOO_MUCH)
            self.check_time()

    def weigh(self, value: Any) -> Any:
        """Count all that a value would be as text, what it holds twice counted twice; return the value."""
        self.made(weight(value))
        return value

    def check_time(self) -> None:
        """Raise EndlessError where the time is over."""
        now = time.thread_time()
        if not self._deadline:
            self._deadline = now + MOST_SECONDS
        elif now > self._deadline:
            raise EndlessError(f"it is not done after {MOST_SECONDS:g} seconds")


def weight(value: Any) -> int:
    """Return the characters of a value's texts and 8 for everything else in it. Raises OverBudgetError."""
    if type(value) is str:
        return len(value)
    total = items = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, (str, bytes)):
            total += len(item)
            continue
        total += 8
        items += 1
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple, set, frozenset)):
            waiting.extend(item)
        if items > _MOST_ITEMS:
            raise OverBudgetError(_TOO_MUCH)
    return total


class BoundedSandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """An environment as transformers makes it for chat templates, with a budget."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self, extensions: Sequence[type[jinja2.ext.Extension]]) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[*extensions, jinja2.ext.loopcontrols],
            finalize=self._written,
        )
        self.budget = Budget()
        # Compiled templates take it from here for every macro, block and call.
        self.__dict__["concat"] = self._concat
        self.filters["tojson"] = _tojson
        self.filters = {name: self._counted(name, function) for name, function in self.filters.items()}
        self.filters.update(
            {_COUNT: self.budget.turn, _WEIGH: self.budget.weigh, _ADD: self._added, _JOIN: self._joined}
        )
        self.globals.update(
            raise_exception=_raise_exception, strftime_now=_strftime_now, dict=_TemplateDict(), namespace=_Namespace
        )
        # Of what is random no two renderings would be alike.
        del self.globals["lipsum"], self.filters["random"]

    def tree(self, source: str) -> jinja2.nodes.Template:
        """Return a template's tree as it is written, without what counts. Raises TemplateSyntaxError."""
        return super()._parse(source, None, None)

    def _parse(self, source: str, name: str | None, filename: str | None) -> jinja2.nodes.Template:
        tree = super()._parse(source, name, filename)
        _Counting().visit(tree)
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute or item; the two kinds that templates ask for most take the short way."""
        if type(obj) is dict and attribute not in _DICT_ATTRIBUTES:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if type(obj) is jinja2.runtime.LoopContext and attribute in _LOOP_ATTRIBUTES:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def _added(self, parts: list[Any]) -> Any:
        """Return ``a + b + c``, which templates are made of, in one go where all are text."""
        size = 0
        for part in parts:
            if type(part) is not str:
                return self._added_in_turn(parts)
            size += len(part)
        if size > _SMALL:
            self.budget.made(size)
        return "".join(parts)

    def _added_in_turn(self, parts: list[Any]) -> Any:
        result = parts[0]
        for part in parts[1:]:
            self.budget.made(weight(result) + weight(part))
            result = result + part
        return result

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        """Do an operation whose result is of a size that is allowed."""
        self._check_operation(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def _check_operation(self, operator: str, left: Any, right: Any) -> None:
        if operator == "%" and isinstance(left, str):
            if _WIDE_PERCENT.search(left):
                raise OverBudgetError("it formats with a width of more than 9,999")
            self.budget.made(weight(left) + weight(right))
        elif isinstance(left, int) and isinstance(right, int):
            digits = left.bit_length() * max(1, right) if operator == "**" else left.bit_length() + right.bit_length()
            if digits > _MOST_DIGITS:
                raise OverBudgetError("it computes a number of thousands of digits")
        elif operator == "*" and (isinstance(left, int) or isinstance(right, int)):
            value, times = (right, left) if isinstance(left, int) else (left, right)
            self.budget.made(weight(value) * max(0, int(times)))

    def call(self, context: jinja2.runtime.Context, called: Any, /, *arguments: Any, **values: Any) -> Any:
        """Call what a template calls, once the size of what comes of it is allowed."""
        self.budget.turn()
        if type(called) is BuiltinMethodType:
            self._check_method(called.__self__, called.__name__, arguments, values)
        result = super().call(context, called, *arguments, **values)
        if isinstance(result, (list, dict, tuple, set)):
            self.budget.weigh(result)
        return result

    def _check_method(self, owner: Any, name: str, arguments: tuple[Any, ...], values: dict[str, Any]) -> None:
        _check_numbers((*arguments, *values.values()))
        if not isinstance(owner, (str, bytes)):
            return
        if name == "translate":
            raise OverBudgetError("it calls translate, which no chat template needs")
        size = len(owner)
        if name in _LOOKING_METHODS or name.startswith("is"):
            if size > _SMALL:
                self.budget.check_time()
            return
        if name == "replace" and len(arguments) > 1 and isinstance(arguments[0], str):
            size += owner.count(arguments[0]) * weight(arguments[1])  # type: ignore[arg-type]
        elif name == "join" and arguments:
            size += len(owner) * weight(arguments[0])
        elif name in _PADDING_METHODS:
            widths = [number for number in (*arguments, *values.values()) if isinstance(number, int)]
            size += max(widths, default=8) * (len(owner) if name == "expandtabs" else 1)
        self.budget.made(size)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return the sandboxed form of str.format. Raises OverBudgetError where it pads without bound."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None and _WIDE_BRACES.search(value.__self__):
            raise OverBudgetError("it formats with a width of more than 9,999")
        return wrapped

    def _counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a filter that counts what it is given and what it makes."""
        first = 1 if hasattr(function, "jinja_pass_arg") else 0

        @functools.wraps(function)
        def counted(*arguments: Any, **values: Any) -> Any:
            self.budget.turn()
            self._check_filter(name, arguments[first:], values)
            result = function(*arguments, **values)
            self.budget.weigh(result)
            return result

        return counted

    def _check_filter(self, name: str, given: tuple[Any, ...], values: dict[str, Any]) -> None:
        size = weight(given[0]) if given else 0
        further = (*given[1:], *values.values())
        if name in _SIZED_FILTERS:
            _check_numbers(further, 400 if name == "round" else _LARGEST_NUMBER)
            widest = max((len(item) if isinstance(item, str) else item for item in further
                          if isinstance(item, (str, int))), default=8)  # fmt: skip
            size += widest * (str(given[0]).count("\n") + 1 if name == "indent" else 8)
        elif name == "replace" and len(further) > 1:
            size += str(given[0]).count(str(further[0])) * weight(further[1])
        elif name == "join" and further:
            size *= max(1, weight(further[0]))
        elif name == "format":
            if _WIDE_PERCENT.search(str(given[0])):
                raise OverBudgetError("it formats with a width of more than 9,999")
            size += weight(list(further))
        elif name == "tojson":
            _check_numbers(further, 16)
        self.budget.made(size)

    def _written(self, value: Any) -> Any:
        if type(value) is not str or len(value) > _SMALL:
            self.budget.weigh(value)
        return value

    def _concat(self, parts: Iterable[str]) -> str:
        kept = []
        size = 0
        for part in parts:
            kept.append(part)
            size += len(part)
            if size > _SMALL:
                self.budget.made(size)
                size = 0
        return "".join(kept)

    def _joined(self, parts: list[Any]) -> str:
        return self._concat([part if type(part) is str else str(self.budget.weigh(part)) for part in parts])


class _Counting(jinja2.visitor.NodeTransformer):
    """Puts a count into the body of every loop and macro, and around every list that is written out."""

    def visit_For(self, node: jinja2.nodes.For) -> jinja2.nodes.Node:
        return self._with_count(node)

    def visit_Macro(self, node: jinja2.nodes.Macro) -> jinja2.nodes.Node:
        return self._with_count(node)

    def visit_CallBlock(self, node: jinja2.nodes.CallBlock) -> jinja2.nodes.Node:
        return self._with_count(node)

    def visit_Concat(self, node: jinja2.nodes.Concat) -> jinja2.nodes.Node:
        self.generic_visit(node)
        items = jinja2.nodes.List(node.nodes, lineno=node.lineno)
        return _filtered(items, _JOIN)

    def visit_Add(self, node: jinja2.nodes.Add) -> jinja2.nodes.Node:
        parts: list[jinja2.nodes.Expr] = []
        first: jinja2.nodes.Expr = node
        while isinstance(first, jinja2.nodes.Add):
            parts.append(first.right)
            first = first.left
        parts = [self.visit(part) for part in reversed([*parts, first])]
        return _filtered(jinja2.nodes.List(parts, lineno=node.lineno), _ADD)

    def visit_List(self, node: jinja2.nodes.List) -> jinja2.nodes.Node:
        self.generic_visit(node)
        return _filtered(node, _WEIGH)

    def visit_Dict(self, node: jinja2.nodes.Dict) -> jinja2.nodes.Node:
        self.generic_visit(node)
        return _filtered(node, _WEIGH)

    def visit_Tuple(self, node: jinja2.nodes.Tuple) -> jinja2.nodes.Node:
        self.generic_visit(node)
        # Others are names that a loop or a set gives values to.
        return _filtered(node, _WEIGH) if node.ctx == "load" else node

    def _with_count(self, node: Any) -> jinja2.nodes.Node:
        self.generic_visit(node)
        # Of a name, not of a constant: those are worked out while compiling, once and for all.
        count = _filtered(jinja2.nodes.Name("messages", "load", lineno=node.lineno), _COUNT)
        node.body = [jinja2.nodes.ExprStmt(count, lineno=node.lineno), *node.body]
        return node  # type: ignore[no-any-return]


def _filtered(node: jinja2.nodes.Expr, name: str) -> jinja2.nodes.Filter:
    return jinja2.nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _check_numbers(values: Iterable[Any], largest: int = _LARGEST_NUMBER) -> None:
    for value in values:
        if type(value) is int and abs(value) > largest:
            raise OverBudgetError(f"it asks for {value:,} of something")


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
