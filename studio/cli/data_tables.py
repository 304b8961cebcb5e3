"""A report of data as tables in a terminal. Text from data is never markup, nor does it steer the terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from remote_agent.contract.data_report import DataReport, Finding, RowPair, TokenCounts
from remote_agent.contract.job_spec import JobSpec
from studio.report.page import BATCHING_NAMES

_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_SEVERITIES = ("error", "warning", "info")
_BINS, _BAR_WIDTH, _ROWS_NAMED, _CLASSES_NAMED = 12, 40, 8, 30
_WIDTH_OF_A_FILE = 110
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def say_report(spec: JobSpec, report: DataReport) -> None:
    """Write everything that the report holds to standard output."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE, highlight=False, markup=False)
    console.print(_plain(f"{report.rows:,} rows, read as {report.shape}. {report.shape_reason}"))
    console.print(f"Trained in a pass: {report.train_rows:,} rows. Held out: {report.held_out_rows:,}.")
    if len(report.sources) > 1:
        _section(console, "Sources", _sources(report))
    _section(console, "Tokens a row", _counts(report))
    if report.total.count:
        _section(console, "Whole rows, by their tokens", _histogram(report.total))
    _section(console, f"Sequences of {report.packing.length:,} tokens", Text(_packing_words(spec, report)))
    if report.batching:
        console.print(_indented(_batching(report), 2))
    if report.classes:
        _section(console, f"Classes ({len(report.classes):,})", _classes(report))
    if report.steps:
        _section(console, "Steps", _steps(report))
    _say_findings(console, report.findings)


def _section(console: Console, title: str, content: RenderableType) -> None:
    console.print()
    console.print(Text(title, style="bold"))
    console.print(_indented(content, 2))


def _indented(content: RenderableType, by: int) -> Padding:
    return Padding(content, (0, 0, 0, by), expand=False)


def _plain(text: str) -> Text:
    """Return text from elsewhere as it may be shown: without what would steer the terminal."""
    return Text(_UNSAFE.sub("�", text))


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for at, title in enumerate(titles):
        table.add_column(title, justify="right" if at in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    return table


def _sources(report: DataReport) -> Table:
    rows = [
        (str(number), one.path, f"{one.rows:,}", f"{one.used_rows:,}", one.shape)
        for number, one in enumerate(report.sources, 1)
    ]
    return _table(("", "Path", "Rows", "Used a pass", "Read as"), rows, numbers=(2, 3))


def _counts(report: DataReport) -> Table:
    rows = [
        (name, f"{one.minimum:,}", f"{one.median:,.0f}", f"{one.mean:,.1f}", f"{one.maximum:,}", f"{one.total:,}")
        for name, one in (("prompt", report.prompt), ("response", report.response), ("together", report.total))
    ]
    return _table(("", "Least", "Median", "Mean", "Most", "All"), rows, numbers=(1, 2, 3, 4, 5))


def _histogram(counts: TokenCounts) -> Table:
    """Return a bar for each of a dozen ranges of the histogram's bins."""
    bins = len(counts.histogram)
    width = max(1, -(-bins // _BINS))
    grouped = [
        (counts.edges[at], counts.edges[min(at + width, bins)], sum(counts.histogram[at : at + width]))
        for at in range(0, bins, width)
    ]
    most = max((count for _, _, count in grouped), default=0) or 1
    rows = [
        (f"{start:,.0f} – {end:,.0f}", _bar(count / most), f"{count:,}" if count else "")
        for start, end, count in grouped
    ]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _bar(share: float) -> str:
    eighths = round(share * _BAR_WIDTH * 8)
    if share > 0:
        eighths = max(1, eighths)
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


def _packing_words(spec: JobSpec, report: DataReport) -> str:
    packing, trained = report.packing, report.train_supervised_tokens
    how = "packed" if spec.data.packing else "one row each"
    share = f" ({100 * trained / report.train_tokens:.0f} %)" if report.train_tokens else ""
    return (
        f"{packing.sequences:,} sequences, {how}, {100 * packing.efficiency:.1f} % filled; "
        f"{trained:,} of {report.train_tokens:,} training tokens are trained on{share}."
    )


def _batching(report: DataReport) -> Table:
    rows = [
        (BATCHING_NAMES.get(way.kind, way.kind), f"{way.sequences:,}", f"{way.tokens:,}", f"{way.held_tokens:,}",
         f"{100 * (1 - way.tokens / way.held_tokens):.1f} %" if way.held_tokens else "")
        for way in report.batching
    ]  # fmt: skip
    return _table(("Batches", "Sequences", "Tokens", "Held in memory", "Padding"), rows, numbers=(1, 2, 3, 4))


def _classes(report: DataReport) -> Table:
    most = max(one.train_rows + one.held_out_rows for one in report.classes) or 1
    rows = [
        (one.label, f"{one.train_rows:,}", f"{one.held_out_rows:,}", _bar((one.train_rows + one.held_out_rows) / most))
        for one in report.classes[:_CLASSES_NAMED]
    ]
    if len(report.classes) > _CLASSES_NAMED:
        rows.append((f"and {len(report.classes) - _CLASSES_NAMED:,} more", "", "", ""))
    return _table(("Class", "Train", "Held out", ""), rows, numbers=(1, 2))


def _steps(report: DataReport) -> Table:
    rows = [
        (str(number), step.sentence, f"{step.changed:,}", f"{step.dropped:,}", f"{step.added:,}")
        for number, step in enumerate(report.steps, 1)
    ]
    return _table(("", "Step", "Changed", "Left out", "Added"), rows, numbers=(2, 3, 4))


def _say_findings(console: Console, findings: Sequence[Finding]) -> None:
    console.print()
    if not findings:
        console.print(Text("Nothing was found amiss.", style="bold"))
        return
    console.print(Text(f"Findings ({len(findings)})", style="bold"))
    order = {severity: number for number, severity in enumerate(_SEVERITIES)}
    for finding in sorted(findings, key=lambda one: order.get(one.severity, len(order))):
        head = Text(f"{finding.severity}: ", style=_COLOURS.get(finding.severity, "cyan"))
        console.print(_indented(head + _plain(finding.sentence), 2))
        for label, words in (("Why", finding.why), ("Fix", _fixes(finding)), ("Rows", _rows(finding))):
            if words:
                console.print(_indented(Text(f"{label}: ", style="dim") + _plain(words), 4))


def _fixes(finding: Finding) -> str:
    return "; ".join(fix.label.rstrip(".") for fix in finding.fixes)


def _rows(finding: Finding) -> str:
    """Name the first rows, counted from 1 as everything for people is."""
    named = [_pair(pair) for pair in finding.pairs] if finding.pairs else [f"{row + 1:,}" for row in finding.rows]
    return ", ".join(named[:_ROWS_NAMED]) + (", …" if max(len(named), finding.count) > _ROWS_NAMED and named else "")


def _pair(pair: RowPair) -> str:
    alike = f" ({100 * pair.likeness:.0f} % alike)" if 0 < pair.likeness < 1 else ""
    alike = alike if pair.likeness else " (not compared)"
    return f"{pair.row + 1:,} and {pair.other + 1:,}{alike}"
