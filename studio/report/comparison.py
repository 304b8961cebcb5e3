"""A comparison of runs as one HTML file without scripts, fonts or anything else from elsewhere."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Sequence
from pathlib import Path

from studio.report.markup import Html, element
from studio.report.style import STYLE

Table = tuple[str, Sequence[Sequence[str]]]
"""A title, and rows of cells, the headings first."""

_FORBID_ALL = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = (
    "img { width: 100%; height: auto; } .charts { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; } "
    "td { white-space: pre-wrap; overflow-wrap: anywhere; }"
)


def write_comparison(path: Path, run_ids: Sequence[str], drawings: Sequence[bytes], tables: Sequence[Table]) -> None:
    """Write the report; an existing file is replaced in one step.

    Args:
        path: where.
        run_ids: the runs, in the order of the tables' columns.
        drawings: SVG documents; empty ones are left out.
        tables: with their headings first.

    Raises:
        OSError: the file cannot be written; an existing one is untouched.
    """
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_text(comparison_html(run_ids, drawings, tables), encoding="utf-8", newline="\n")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def comparison_html(
    run_ids: Sequence[str],
    drawings: Sequence[bytes],
    tables: Sequence[Table],
    written: datetime.datetime | None = None,
) -> str:
    """Return the report as HTML."""
    stamp = (written or datetime.datetime.now(datetime.UTC)).strftime("%Y-%m-%d %H:%M UTC")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_FORBID_ALL),
        element("title", f"Luthier: {len(run_ids)} runs"),
        element("style", Html(STYLE + _STYLE)),
    )
    body = element(
        "main",
        element("h1", f"{len(run_ids)} runs"),
        element("p", f"{', '.join(run_ids)}. Written {stamp}."),
        element("div", *(_drawing(drawing) for drawing in drawings if drawing), class_="charts"),
        *(_table(title, rows) for title, rows in tables),
    )
    return f"<!doctype html>\n{element('html', head, element('body', body), lang='en')}\n"


def _drawing(svg: bytes) -> Html:
    """Return a drawing as a picture of its own: names inside one drawing then mean nothing in another."""
    return Html(f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(svg).decode("ascii")}">')


def _table(title: str, rows: Sequence[Sequence[str]]) -> Html:
    headings, *body = rows
    return element(
        "section",
        element("h2", title),
        element(
            "table",
            element("thead", element("tr", *(element("th", cell) for cell in headings))),
            element("tbody", *(element("tr", *(element("td", cell) for cell in row)) for row in body)),
        ),
    )
