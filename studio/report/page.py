"""The whole report of a data set: one HTML file without scripts, fonts or anything else from elsewhere."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

from remote_agent.contract.data_report import (
    DataFix,
    DataReport,
    Finding,
    RowPair,
    RowView,
    SourceReport,
    TokenCounts,
)
from remote_agent.contract.job_spec import JobSpec
from studio.report import charts
from studio.report.markup import Html, element, joined
from studio.report.rows import legend, row_card
from studio.report.style import STYLE

ROWS_A_FINDING, PAIRS_A_FINDING, SAMPLED_ROWS, MOST_ROWS = 3, 2, 4, 80
BATCHING_NAMES = {"packed": "Packed", "padding_free": "Padding-free", "padded": "Padded, grouped by length"}
_FORBID_ALL = "default-src 'none'; style-src 'unsafe-inline'"
_SEVERITIES = ("error", "warning", "info")


def rows_shown(report: DataReport) -> tuple[int, ...]:
    """Return the numbers of the rows that the report shows: some of each finding, and the first ones as tokens."""
    wanted = dict.fromkeys(_sampled(report))
    for finding in report.findings:
        wanted.update(dict.fromkeys(_examples(finding)))
    return tuple(wanted)[:MOST_ROWS]


def write_report(path: Path, spec: JobSpec, report: DataReport, rows: Mapping[int, RowView]) -> None:
    """Write the report; an existing file is replaced in one step. Raises OSError."""
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_text(report_html(spec, report, rows), encoding="utf-8", newline="\n")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def report_html(
    spec: JobSpec, report: DataReport, rows: Mapping[int, RowView], written: datetime.datetime | None = None
) -> str:
    """Return the report as HTML; ``rows`` by their number, as many as there are of `rows_shown`."""
    name = _short(spec.data.path or report.path) or "Data"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_FORBID_ALL),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{name}: data report"),
        element("style", Html(STYLE)),
    )
    sections = (
        _heading(name, spec, report),
        _findings(report, rows),
        _lengths(spec, report),
        _batching(spec, report),
        _classes(report),
        _sources(report.sources),
        _steps(spec, report),
        _tokens(report, rows),
        _footer(spec, report, written or datetime.datetime.now(datetime.UTC)),
    )
    return f"<!doctype html>\n{element('html', head, element('body', element('main', *sections)), lang='en')}\n"


def _heading(name: str, spec: JobSpec, report: DataReport) -> Html:
    facts = [
        (f"{report.rows:,}", "rows"),
        (f"{report.train_rows:,}", "trained a pass"),
        (f"{report.held_out_rows:,}", "held out"),
        (f"{report.train_tokens:,}", "training tokens"),
        (f"{_share(report.train_supervised_tokens, report.train_tokens)}", "of them trained"),
        (f"{report.train_sequences:,}", f"sequences of {report.packing.length:,}"),
    ]
    parts = [
        element("h1", name),
        element("p", f"Read as {report.shape}: {report.shape_reason}"),
        element("p", f"Under the tokenizer of {_short(spec.model.id) or 'the model'}.", class_="soft"),
    ]
    if not report.complete:
        parts.append(element("p", f"Only {report.rows_read:,} of about {report.rows:,} rows had been read."))
    tiles = [element("div", element("b", value), element("span", what), class_="tile") for value, what in facts]
    return element("header", *parts, element("div", *tiles, class_="tiles"))


def _findings(report: DataReport, rows: Mapping[int, RowView]) -> Html:
    if not report.findings:
        return element("section", element("h2", "Findings"), element("p", "Nothing was found amiss."))
    ordered = sorted(report.findings, key=lambda one: _SEVERITIES.index(one.severity) if one.severity in _SEVERITIES
                     else len(_SEVERITIES))  # fmt: skip
    cards = [_finding(finding, rows) for finding in ordered]
    return element("section", element("h2", f"Findings ({len(cards)})"), *cards)


def _finding(finding: Finding, rows: Mapping[int, RowView]) -> Html:
    title = element("h3", finding.title or finding.kind.replace("_", " ").capitalize())
    counted = f", {finding.count:,}" if finding.count else ""
    badge = element("span", f"{finding.severity}{counted}", class_="badge")
    parts = [element("header", title, badge), element("p", finding.sentence)]
    if finding.why:
        parts.append(element("p", finding.why, class_="soft"))
    if finding.fixes:
        parts.append(element("p", f"What can be done: {'; '.join(_fix(fix) for fix in finding.fixes)}.", class_="soft"))
    if finding.pairs:
        parts += [_pair(pair, rows) for pair in finding.pairs[:PAIRS_A_FINDING]]
    else:
        parts += [row_card(rows[index]) for index in finding.rows[:ROWS_A_FINDING] if index in rows]
    severity = finding.severity if finding.severity in _SEVERITIES else "info"
    return element("article", *parts, class_=f"card finding {severity}")


def _fix(fix: DataFix) -> str:
    return fix.label.rstrip(".")


def _pair(pair: RowPair, rows: Mapping[int, RowView]) -> Html:
    cards = [row_card(rows[index]) for index in (pair.row, pair.other) if index in rows]
    alike = f", {100 * pair.likeness:.0f} % alike" if pair.likeness > 0 else ", not compared"
    told = element("p", f"Rows {pair.row + 1:,} and {pair.other + 1:,}{alike}", class_="soft")
    return joined(told, element("div", *cards, class_="pair")) if cards else told


def _lengths(spec: JobSpec, report: DataReport) -> Html:
    figures = [
        _figure(charts.histogram(counts, what, length), f"{what.capitalize()}: {_told(counts)}")
        for counts, what, length in (
            (report.total, "whole rows", spec.data.max_length),
            (report.prompt, "prompts", 0),
            (report.response, "responses", 0),
        )
    ]
    return element("section", element("h2", "Tokens a row"), *figures)


def _told(counts: TokenCounts) -> str:
    return (
        f"{counts.count:,} rows, median {counts.median:,.0f}, mean {counts.mean:,.1f}, most {counts.maximum:,}, "
        f"{counts.total:,} tokens together."
    )


def _batching(spec: JobSpec, report: DataReport) -> Html:
    packing = report.packing
    used = "packed" if spec.data.packing else "one row a sequence"
    said = element(
        "p",
        f"At {packing.length:,} tokens, {used}: {packing.sequences:,} sequences, "
        f"{100 * packing.efficiency:.1f} % of them filled.",
    )
    parts = [element("h2", "Sequences and batches"), said]
    if report.batching:
        names = [BATCHING_NAMES.get(way.kind, way.kind) for way in report.batching]
        parts.append(_figure(charts.batching_bars(report.batching, names), "Tokens a pass, and the padding beside."))
    return element("section", *parts)


def _classes(report: DataReport) -> Html:
    if not report.classes:
        return Html()
    figure = _figure(charts.class_bars(report.classes[:40]), "Training rows, and held-out rows behind them.")
    return element("section", element("h2", f"Classes ({len(report.classes)})"), figure)


def _sources(sources: Sequence[SourceReport]) -> Html:
    if not sources:
        return Html()
    rows = [
        (source.path, f"{source.rows:,}", f"{source.used_rows:,}", f"{source.shape}: {source.shape_reason}",
         ", ".join(source.unused_columns) or "none")
        for source in sources
    ]  # fmt: skip
    titles = ("Path", "Rows", "Used a pass", "Read as", "Unused columns")
    return element("section", element("h2", "Sources"), _table(titles, rows, numbers=(1, 2)))


def _steps(spec: JobSpec, report: DataReport) -> Html:
    if not report.steps:
        return Html()
    rows = [
        (str(number), step.sentence, f"{step.changed:,}", f"{step.dropped:,}", f"{step.added:,}")
        for number, step in enumerate(report.steps, 1)
    ]
    table = _table(("", "Step", "Changed", "Left out", "Added"), rows, numbers=(2, 3, 4))
    said = element("p", "Done in this order on the node; the files themselves are never changed.", class_="soft")
    return element("section", element("h2", "Steps"), said, table)


def _tokens(report: DataReport, rows: Mapping[int, RowView]) -> Html:
    cards = [
        element("div", row_card(rows[index], with_tokens=True), class_="card")
        for index in _sampled(report)
        if index in rows
    ]
    if not cards:
        return Html()
    return element("section", element("h2", "Rows as they are trained"), legend(), *cards)


def _footer(spec: JobSpec, report: DataReport, written: datetime.datetime) -> Html:
    parts = [f"Written by Luthier on {written:%Y-%m-%d}."]
    if report.content_hash:
        parts.append(f"Content of the rows: {report.content_hash}.")
    return element("footer", element("p", " ".join(parts), class_="soft"))


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> Html:
    def cells(name: str, values: Sequence[str]) -> Html:
        return element(
            "tr",
            *(element(name, value, class_="number" if at in numbers else None) for at, value in enumerate(values)),
        )

    return element(
        "table", element("thead", cells("th", titles)), element("tbody", *(cells("td", row) for row in rows))
    )


def _figure(chart: Html, caption: str) -> Html:
    return element("figure", chart, element("figcaption", caption), class_="card")


def _sampled(report: DataReport) -> tuple[int, ...]:
    return tuple(range(min(SAMPLED_ROWS, report.rows)))


def _examples(finding: Finding) -> list[int]:
    if finding.pairs:
        return [index for pair in finding.pairs[:PAIRS_A_FINDING] for index in (pair.row, pair.other)]
    return list(finding.rows[:ROWS_A_FINDING])


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"


def _short(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]
