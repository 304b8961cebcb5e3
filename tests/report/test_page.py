"""The HTML report: all that is known stands in it, nothing comes from elsewhere, and text of the data stays text."""

from __future__ import annotations

import dataclasses
import datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.data_report import (
    BatchingReport,
    ClassCount,
    DataFix,
    DataReport,
    Finding,
    RowPair,
    RowView,
    SourceReport,
    StepReport,
    TokenCounts,
    TokenSpan,
    TurnView,
)
from remote_agent.contract.job_spec import JobSpec, with_value
from studio.report.charts import histogram
from studio.report.markup import Html, element
from studio.report.page import MOST_ROWS, report_html, rows_shown, write_report
from studio.report.rows import TOKENS, row_tokens
from tests.ui.page_session import data_report, row_view

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>&amp;\" '\x00\x1b[31m\u202e\ud800"
WRITTEN = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
VOID = {"meta", "br"}


class _Reader(HTMLParser):
    """Reads the report as a browser would, and complains where a tag is not closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def _full() -> DataReport:
    return dataclasses.replace(
        data_report(400),
        findings=(
            Finding("near", "info", 2, "Two rows are nearly the same.", (1, 2), pairs=(RowPair(1, 2, 0.91),)),
            Finding("empty_response", "error", 3, "3 rows have an empty response.", (7, 8, 9), "Empty response",
                    "The model would learn to say nothing.", (DataFix("Leave them out", {"kind": "drop"}),)),
        ),
        batching=(BatchingReport("packed", 1024, 10, 9000, 10240), BatchingReport("padded", 1024, 40, 9000, 20480)),
        classes=(ClassCount("positive", 30, 4), ClassCount("negative", 10, 1)),
        sources=(SourceReport("/a.json", 300, "alpaca", "by columns", ("a",), ("notes",), 0, 300),
                 SourceReport("/b.json", 100, "text", "one column", ("t",), (), 300, 50)),
        steps=(StepReport("Left out the rows of empty_response.", dropped=3),),
    )  # fmt: skip


def _rows(report: DataReport) -> dict[int, RowView]:
    return {index: row_view(index) for index in rows_shown(report)}


def test_that_everything_that_is_known_stands_in_the_report() -> None:
    report = _full()
    page = _read(report_html(with_value(JobSpec(), "data.path", "/data/pairs.jsonl"), report, _rows(report), WRITTEN))
    for said in (
        "pairs.jsonl", "400", report.shape_reason, "Two rows are nearly the same.", "Rows 2 and 3, 91 % alike",
        "Empty response", "The model would learn to say nothing.", "What can be done: Leave them out.",
        "Padded, grouped by length", "12.1 % padding", "56.1 % padding", "positive", "30 + 4", "/b.json", "notes",
        "Left out the rows of empty_response.", "Rows as they are trained", "2026-01-02", report.content_hash,
    ):  # fmt: skip
        assert said in page.text
    assert page.text.index("Empty response") < page.text.index("Two rows are nearly the same.")
    assert sum(tag == "svg" for tag, _ in page.tags) == 5
    kinds = {attributes.get("class") for tag, attributes in page.tags if tag == "span"}
    assert {"trained", "masked", "special", "truncated"} <= kinds


def test_that_the_report_loads_nothing_and_runs_nothing() -> None:
    report = _full()
    page = _read(report_html(JobSpec(), report, _rows(report), WRITTEN))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "a", "base", "form"})
    for _, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on") or name in ("src", "href", "style")}
    policies = [attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_that_text_of_the_data_is_never_markup_wherever_it_stands(tmp_path: Path) -> None:
    finding = Finding(HOSTILE, "warning", 1, HOSTILE, (0,), HOSTILE, HOSTILE, (DataFix(HOSTILE),))
    token = TokenSpan(5, HOSTILE, True)
    row = RowView(0, (TurnView(HOSTILE, HOSTILE),), HOSTILE, (token,), "f", HOSTILE, "train", HOSTILE, 3, HOSTILE)
    report = dataclasses.replace(
        _full(), shape=HOSTILE, shape_reason=HOSTILE, findings=(finding,), classes=(ClassCount(HOSTILE, 3, 1),),
        sources=(SourceReport(HOSTILE, 1, HOSTILE, HOSTILE, (), (HOSTILE,), 0, 1),), steps=(StepReport(HOSTILE),),
        batching=(BatchingReport(HOSTILE, 1, 1, 1, 2),), content_hash=HOSTILE,
    )  # fmt: skip
    spec = with_value(with_value(JobSpec(), "data.path", HOSTILE), "model.id", HOSTILE)
    write_report(tmp_path / "report.html", spec, report, {0: row, 1: row})
    page = _read((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert page.text.count("<script>alert('x')</script>") >= 12
    assert "\x00" not in page.text
    assert "\x1b" not in page.text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@given(st.text(st.characters(), max_size=40))
def test_that_any_text_comes_back_from_the_markup_as_it_was_but_for_what_no_file_holds(text: str) -> None:
    page = _read(element("p", text, title=text))
    printable = [character for character in text if character >= " " and not "\x7f" <= character <= "\x9f"]
    if len(printable) == len(text) and max(text, default=" ") < "\ud800":
        assert page.text == text
        assert page.tags == [("p", {"title": text})]
    page.text.encode("utf-8")


def test_that_only_what_is_built_as_markup_is_markup() -> None:
    assert element("b", "<i>", Html("<i>")) == "<b>&lt;i&gt;<i></b>"
    assert element("rect", x=1, class_="bar", title=None) == '<rect x="1" class="bar"/>'


def test_that_a_report_in_the_making_says_how_far_it_is() -> None:
    report = dataclasses.replace(_full(), complete=False, rows_read=120)
    assert "Only 120 of about 400 rows had been read." in _read(report_html(JobSpec(), report, {}, WRITTEN)).text


def test_that_a_report_of_nothing_is_still_a_page() -> None:
    empty = TokenCounts(0, 0, 0.0, 0.0, 0, 0, (), ())
    report = dataclasses.replace(
        data_report(40), rows=0, prompt=empty, response=empty, total=empty, findings=(), train_tokens=0
    )
    page = _read(report_html(JobSpec(), report, {}, WRITTEN))
    assert "Nothing was found amiss." in page.text
    assert "There are no prompts to count." in page.text


def test_that_the_rows_shown_are_bounded_and_name_each_finding() -> None:
    findings = tuple(Finding(str(number), "info", 9, "", tuple(range(9 * number, 9 * number + 9)))
                     for number in range(60))  # fmt: skip
    shown = rows_shown(dataclasses.replace(data_report(900), findings=findings))
    assert len(shown) == MOST_ROWS == len(set(shown))
    few = rows_shown(dataclasses.replace(data_report(900), findings=findings[2:3]))
    assert few == (0, 1, 2, 3, 18, 19, 20)


def test_that_a_row_of_many_tokens_says_how_many_more_there_are() -> None:
    tokens = tuple(TokenSpan(7, "a", True) for _ in range(TOKENS + 1234))
    page = _read(row_tokens(tokens))
    assert sum(tag == "span" for tag, _ in page.tags) == TOKENS
    assert "… and 1,234 more tokens" in page.text


@pytest.mark.parametrize("edges", [(0.0, 1.0, 2.0), (1.0, 1.0), (10.0, 20.0, 900_000.0), (5.0, 5.5, 6.0)])
def test_that_bars_stay_inside_the_picture_and_hold_every_row(edges: tuple[float, ...]) -> None:
    counts = TokenCounts(30, 0, 1.0, 1.0, 9, 9, tuple(range(1, len(edges))), edges)
    picture = ElementTree.fromstring(histogram(counts, "whole rows", 64))
    bars = [bar for bar in picture.iter("rect") if bar.get("class") == "bar"]
    assert len(bars) == len(edges) - 1
    _, _, width, height = (float(side) for side in str(picture.get("viewBox")).split())
    for bar in bars:
        x, y, wide, tall = (float(str(bar.get(side))) for side in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + wide <= width + 1 and y + tall <= height
    titles = [str(title.text) for title in picture.iter("title")]
    assert sum(int(title.split(": ")[1].split()[0]) for title in titles) == sum(counts.histogram)
