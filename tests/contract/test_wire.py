"""Reports on the wire."""

import json

import pytest

from remote_agent.contract.data_report import (
    DataFix,
    DataReport,
    Finding,
    LengthCurve,
    PackedRow,
    PackingReport,
    PreparedData,
    RowPair,
    RowView,
    TokenCounts,
    TokenSpan,
    TurnView,
)
from remote_agent.contract.node_report import Gpu, Interpreter, NodeReport, PackageVersion
from remote_agent.contract.wire import from_wire, to_wire

COUNTS = TokenCounts(2, 1, 1.5, 1.5, 2, 3, (1, 1), (1.0, 1.5, 2.0))
NODE = NodeReport(
    "box", "me", "Linux", "/home/me", "3.8.1", 8, 1, 1, 1, (Gpu(0, "GPU-1", "H100", 1, 0, 0.0, 30.0, 60.0, "9.0"),),
    Interpreter("/usr/bin/python3", "3.11", (PackageVersion("torch", ""),)), "c++", "ninja", "boot", 1.0, ("one",),
)  # fmt: skip
FOUND = Finding(
    "duplicate", "warning", 1, "One.", (1,), "Duplicates", "Why.",
    (DataFix("Keep one", {"kind": "deduplicate"}), DataFix("Less", changes={"batch.epochs": 1.0})),
    (RowPair(0, 1, 1.0),), 0.8,
)  # fmt: skip
DATA = DataReport(
    "p",
    2,
    "alpaca",
    "why",
    1,
    1,
    COUNTS,
    COUNTS,
    COUNTS,
    PackingReport(8, 1, 0.5),
    1,
    1,
    3,
    2,
    (FOUND,),
    "h",
    lengths=LengthCurve((1, 2), (2, 0), (1, 0), (1, 0), (0, 0)),
)
ROW = RowView(
    0,
    (TurnView("user", "hi"), TurnView("assistant", "ho", 0.0)),
    "hi ho",
    (TokenSpan(1, "hi", False, loss=0.5),),
    "f",
    packed=(PackedRow(0, 0, 1),),
    loss=1.5,
)
PREPARED = PreparedData("k", 8, True, 1, 1, 3, 2, 1, 1, 3, 2, "a", "b", 0, 1, 0.5, (), {"yes": 1})


@pytest.mark.parametrize("report", [NODE, DATA, ROW, PREPARED], ids=lambda report: type(report).__name__)
def test_that_a_report_survives_the_wire(report: object) -> None:
    assert from_wire(type(report), json.loads(json.dumps(to_wire(report)))) == report


def test_that_a_field_of_a_newer_agent_is_ignored() -> None:
    assert from_wire(NodeReport, {**to_wire(NODE), "mood": "calm"}) == NODE


@pytest.mark.parametrize("value", ["8", 8.0, None, True, []])
def test_that_a_wrong_type_names_the_field(value: object) -> None:
    with pytest.raises(ValueError, match=r"NodeReport\.cores"):
        from_wire(NodeReport, {**to_wire(NODE), "cores": value})


def test_that_a_missing_field_is_named() -> None:
    body = to_wire(NODE)
    del body["cores"]
    with pytest.raises(ValueError, match=r"NodeReport\.cores is missing"):
        from_wire(NodeReport, body)


def test_that_an_interpreter_says_what_it_lacks() -> None:
    assert NODE.interpreter is not None and NODE.interpreter.missing == ("torch",)
