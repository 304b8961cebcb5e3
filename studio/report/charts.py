"""Charts as inline SVG: histograms of token counts and bars, drawn in the colours of the style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from remote_agent.contract.data_report import BatchingReport, ClassCount, TokenCounts
from studio.report.markup import Html, element

WIDTH, HEIGHT = 900, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 16, 26
_TICKS = 8
_BAR_HEIGHT, _BAR_GAP, _LABEL_WIDTH = 18, 8, 190
# the style sheet overrules these; they are for viewers that do not look into a picture with it
_FILLS = {"bar": "#c98a63", "held": "#8fa6b8", "marked": "#a8552f", "": "#7a818b"}
_STROKES = {"axis": "#c9c5bb", "mark": "#a8552f"}


def histogram(counts: TokenCounts, what: str, length: int = 0) -> Html:
    """Return the distribution of token counts over rows, with a line at the sequence length where it is not 0."""
    edges = counts.edges
    if not counts.count or len(edges) != len(counts.histogram) + 1:
        return element("p", f"There are no {what} to count.", class_="soft")
    low, high = min(0.0, edges[0]), max(edges[-1], float(length), 1.0)
    most = max(counts.histogram) or 1

    def at(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    floor = HEIGHT - _BOTTOM
    parts: list[Html] = []
    for count, start, end in zip(counts.histogram, edges, edges[1:], strict=False):
        if count:
            tall = max(1.0, count / most * (floor - _TOP))
            title = element("title", f"{_range(start, end)} tokens: {count:,} rows")
            wide = max(1.0, at(end) - at(start) - 1)
            parts.append(_rect("bar", at(start), floor - tall, wide, tall, title))
    parts += _axis(low, high, at, floor)
    parts.append(_text(f"{most:,}", _LEFT - 6, _TOP + 9, "end"))
    if length:
        where = at(float(length))
        parts.append(_line("mark", where, 4, where, floor))
        side = "end" if where > WIDTH / 2 else "start"
        shift = -5 if side == "end" else 5
        words = f"{length:,} tokens"
        parts.append(_text(words, where + shift, 13, side, "marked"))
    told = f"Tokens of {what} a row: from {counts.minimum:,} to {counts.maximum:,}, median {counts.median:,.0f}"
    return _svg(HEIGHT, told, parts)


def class_bars(classes: Sequence[ClassCount]) -> Html:
    """Return a bar for each class: its rows in the training part, and in the held-out part behind them."""
    most = max((one.train_rows + one.held_out_rows for one in classes), default=0) or 1
    rows = [(one.label, (("bar", one.train_rows), ("held", one.held_out_rows)), f"{one.train_rows:,}"
             + (f" + {one.held_out_rows:,}" if one.held_out_rows else "")) for one in classes]  # fmt: skip
    return _bars(rows, most, "Rows of each class")


def batching_bars(ways: Sequence[BatchingReport], names: Sequence[str]) -> Html:
    """Return a bar for each way of making batches: tokens, and the padding behind them."""
    most = max((one.held_tokens for one in ways), default=0) or 1
    rows = []
    for one, name in zip(ways, names, strict=True):
        waste = 1 - one.tokens / one.held_tokens if one.held_tokens else 0.0
        parts = (("bar", one.tokens), ("held", max(0, one.held_tokens - one.tokens)))
        rows.append((name, parts, f"{100 * waste:.1f} % padding"))
    return _bars(rows, most, "Tokens and padding of each way of making batches")


def _bars(rows: Sequence[tuple[str, Sequence[tuple[str, int]], str]], most: int, told: str) -> Html:
    room = WIDTH - _LABEL_WIDTH - 130
    parts: list[Html] = []
    for number, (label, pieces, words) in enumerate(rows):
        top = number * (_BAR_HEIGHT + _BAR_GAP) + 2
        middle = top + _BAR_HEIGHT / 2 + 4
        short = label if len(label) <= 28 else label[:27] + "…"
        parts.append(_text(short, _LABEL_WIDTH - 10, middle, "end", "", element("title", label)))
        left = float(_LABEL_WIDTH)
        for kind, count in pieces:
            wide = count / most * room
            if count:
                parts.append(_rect(kind, left, top, max(1.0, wide), _BAR_HEIGHT))
            left += wide
        parts.append(_text(words, left + 8, middle))
    return _svg(len(rows) * (_BAR_HEIGHT + _BAR_GAP) + 4, told, parts)


def _axis(low: float, high: float, at: Callable[[float], float], floor: int) -> list[Html]:
    parts = [_line("axis", _LEFT, floor, WIDTH - _RIGHT, floor)]
    step = _nice((high - low) / _TICKS)
    tick = math.ceil(low / step) * step
    while tick <= high:
        parts.append(_text(f"{tick:,.0f}", at(tick), floor + 16, "middle"))
        tick += step
    return parts


def _nice(rough: float) -> float:
    """Return the next round number, 1, 2 or 5 times a power of ten, at least 1."""
    if rough <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough)


def _range(start: float, end: float) -> str:
    first, last = math.ceil(start), max(math.ceil(start), math.ceil(end) - 1)
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _rect(kind: str, x: float, y: float, width: float, height: float, *inside: Html) -> Html:
    return element("rect", *inside, class_=kind, x=_px(x), y=_px(y), width=_px(width), height=_px(height),
                   fill=_FILLS[kind])  # fmt: skip


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Html:
    return element("line", class_=kind, x1=_px(x1), y1=_px(y1), x2=_px(x2), y2=_px(y2), stroke=_STROKES[kind])


def _text(words: str, x: float, y: float, anchor: str = "start", kind: str = "", *inside: Html) -> Html:
    return element("text", words, *inside, class_=kind or None, x=_px(x), y=_px(y), text_anchor=anchor, font_size=11,
                   fill=_FILLS[kind])  # fmt: skip


def _px(value: float) -> str:
    return f"{value:.1f}"


def _svg(height: int, told: str, parts: Sequence[Html]) -> Html:
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=told)
