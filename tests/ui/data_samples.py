"""Made-up looks at data for the tests of pages: reports, partial and complete, rows, pages of the table."""

from __future__ import annotations

import dataclasses
import random

from remote_agent.contract.data_report import (
    BatchingReport,
    ClassCount,
    DataFix,
    DataReport,
    Finding,
    LengthCurve,
    PackedRow,
    PackingReport,
    RowPair,
    RowView,
    SourceReport,
    StepReport,
    TableQuery,
    TableRow,
    TokenCounts,
    TokenSpan,
    TurnView,
)

SHAPE_REASON = "The column “messages” holds lists of role and content in all of the first 1,000 rows."
DROP_EMPTY = {"kind": "drop", "finding": "empty_response", "rows": []}


def counts_of(lengths: list[int], bins: int = 40) -> TokenCounts:
    """Return the distribution of so many token counts."""
    top = max(lengths)
    edges = tuple(top * number / bins for number in range(bins + 1))
    histogram = [0] * bins
    for length in lengths:
        histogram[min(bins - 1, int(length / top * bins))] += 1
    ordered = sorted(lengths)
    return TokenCounts(
        len(lengths), ordered[0], sum(lengths) / len(lengths), float(ordered[len(ordered) // 2]), top, sum(lengths),
        tuple(histogram), edges,
    )  # fmt: skip


def curve_of(lengths: list[int], trained_share: float = 0.6) -> LengthCurve:
    """Return what each sequence length would cost rows of these lengths, whose last share of tokens is trained."""
    places = tuple(range(0, max(lengths) + 16, 16))
    trained = [length - int(length * (1 - trained_share)) for length in lengths]
    over = [[(length, many) for length, many in zip(lengths, trained, strict=True) if length > at] for at in places]
    return LengthCurve(
        places,
        tuple(len(rows) for rows in over),
        tuple(sum(length - at for length, _ in rows) for at, rows in zip(places, over, strict=True)),
        tuple(sum(min(length - at, many) for length, many in rows) for at, rows in zip(places, over, strict=True)),
        tuple(sum(length - at >= many for length, many in rows) for at, rows in zip(places, over, strict=True)),
    )


def three_ways(tokens: int, length: int = 1024) -> tuple[BatchingReport, ...]:
    """Return the three ways of making batches at a length."""
    return (
        BatchingReport("packed", length, tokens // length + 9, tokens, int(tokens / 0.991)),
        BatchingReport("padding_free", length, tokens // 700, tokens, tokens),
        BatchingReport("padded", length, tokens // 190, tokens, int(tokens / 0.873)),
    )


def some_findings() -> tuple[Finding, ...]:
    """Return the findings that most tests look at: one of every severity, with fixes and with pairs."""
    return (
        Finding(
            "over_length", "warning", 37, "37 rows are longer than the sequence length; their ends are cut.", (5,),
            "Over length", "What is cut is never learnt, and the end of turn goes with it.",
            (DataFix("Set the length to 1 536", changes={"data.max_length": 1536}),), (), 1024.0,
        ),
        Finding(
            "near_duplicate", "warning", 112, "112 rows nearly repeat an earlier row.", (204, 205), "Near-duplicates",
            "Rows that come several times are learnt by heart.",
            (DataFix("Keep one of each", {"kind": "deduplicate", "threshold": 0.8}),),
            (RowPair(204, 205, 0.93), RowPair(310, 17, 0.84)), 0.8,
        ),
        Finding(
            "empty_response", "error", 3, "3 rows have an empty answer and train nothing.", (77, 78, 79),
            "Empty response", "Such a row teaches the model to say nothing.", (DataFix("Drop the rows", DROP_EMPTY),),
        ),
        Finding("leakage", "info", 9, "9 rows appear in both the training and the held-out part.", (310,), "Leakage"),
    )  # fmt: skip


def many_findings() -> tuple[Finding, ...]:
    """Return a finding of each of 25 kinds, the first four those of `some_findings`."""
    kinds = (
        "double BOS", "missing end of turn", "pad equal to end", "template unlike the tokenizer's",
        "roles out of order", "exact duplicates", "same prompt, other answer", "wrong encoding", "control characters",
        "another language",
        "refusals", "secrets", "e-mail addresses", "class imbalance", "outlier length", "more rows than the run sees",
        "few rows, many epochs", "markers of several tokens", "nothing trained", "only the last turn trained",
        "response cut",
    )  # fmt: skip
    return some_findings() + tuple(
        Finding(
            kind.replace(" ", "_"), ("warning", "info", "info", "error")[number % 4], 3 + 17 * number,
            f"{3 + 17 * number} rows were found by looking for {kind} in what is read of the data.",
            tuple(range(number, number + 3)), kind.capitalize(), "Why this matters is said in one sentence here.",
            (DataFix("Drop the rows", {"kind": "drop", "finding": kind.replace(" ", "_")}),),
        )
        for number, kind in enumerate(kinds)
    )  # fmt: skip


def data_report(rows: int = 4128, length: int = 1024) -> DataReport:
    """Return the report of question-answer pairs with a long tail."""
    chance = random.Random(7)
    lengths = [max(12, int(chance.lognormvariate(5.0, 0.62))) for _ in range(rows)]
    counts, asked = counts_of(lengths), counts_of([max(4, length // 3) for length in lengths])
    answered = counts_of([length - max(4, length // 3) for length in lengths])
    held_out = rows // 10
    columns = ("messages", "source", "id")
    source = SourceReport("/data/docstrings.jsonl", rows, "messages", SHAPE_REASON, columns, ("source", "id"), 0,
                          rows - held_out)  # fmt: skip
    return DataReport(
        "/data/docstrings.jsonl", rows, "messages", SHAPE_REASON, rows - held_out, held_out, asked, answered, counts,
        PackingReport(length, counts.total // length + 9, 0.961), counts.total // length + 9, 30, counts.total,
        counts.total * 2 // 3, some_findings(), "ef" * 32, True, rows, curve_of(lengths),
        three_ways(counts.total, length), (), (source,),
    )  # fmt: skip


def partial_report(rows: int = 7_000_000, read: int = 1_200_000) -> DataReport:
    """Return what is known while rows are still being read."""
    return dataclasses.replace(data_report(), rows=rows, complete=False, rows_read=read)


def rich_report() -> DataReport:
    """Return a report with two sources, classes, steps and 25 findings."""
    report = data_report()
    first = report.sources[0]
    second = SourceReport(
        "/data/reviews.csv", 1800, "classification",
        "The columns “sentence” and “label” hold a text and one of 4 classes.",
        ("sentence", "label", "stars"), ("stars",), first.rows, 1620,
    )  # fmt: skip
    classes = (ClassCount("positive", 1402, 156), ClassCount("negative", 1188, 131), ClassCount("neutral", 310, 34),
               ClassCount("mixed", 61, 7))  # fmt: skip
    steps = (
        StepReport("Leaves out 3 rows of the finding empty_response.", dropped=3, rows=(77, 78, 79)),
        StepReport("Mends the text of 214 rows.", changed=214, rows=(4, 9), examples=(("it â€™ s", "it ’ s"),)),
    )
    return dataclasses.replace(
        report, findings=many_findings(), sources=(first, second), classes=classes, steps=steps, rows=first.rows + 1800
    )


def row_view(index: int) -> RowView:
    """Return a row with a system turn, a question and an answer, as tokens of whole words."""
    system = "You are a helpful assistant."
    asked = f"What does str.partition(sep) do, asked for the {index}th time?"
    said = (
        "Split the string at the first occurrence of sep, and return a 3-tuple containing the part before the "
        "separator, the separator itself, and the part after the separator.\n\nIf the separator is not found, return "
        "a 3-tuple containing the string itself, followed by two empty strings."
    )
    tokens: list[TokenSpan] = []
    for role, text in (("system", system), ("user", asked), ("assistant", said)):
        trained = role == "assistant"
        tokens.append(TokenSpan(1, "<|im_start|>", False, special=True))
        tokens += [TokenSpan(520, role, False), TokenSpan(198, "\n", False)]
        words = [part for part in text.replace("\n\n", " \n\n ").split(" ") if part]
        for number, word in enumerate(words):
            tokens.append(TokenSpan(1000 + 37 * len(tokens) % 48000, (" " if number else "") + word, trained))
        tokens += [TokenSpan(2, "<|im_end|>", trained, special=True), TokenSpan(198, "\n", False)]
    tokens += [TokenSpan(4321, " and", True, truncated=True), TokenSpan(4322, " more", True, truncated=True)]
    text = "".join(token.text for token in tokens)
    turns = (TurnView("system", system), TurnView("user", asked), TurnView("assistant", said))
    return RowView(index, turns, text, tuple(tokens), f"{index:016x}")


def rich_row(index: int) -> RowView:
    """Return a row with losses, tools, findings, a turn that is not trained, and its place in a packed sequence."""
    row = row_view(index)
    chance = random.Random(index)
    tokens = tuple(
        dataclasses.replace(token, loss=round(chance.expovariate(0.8), 3)) if token.trained else token
        for token in row.tokens
    )
    turns = (
        *row.turns[:2],
        TurnView("assistant", '{"name": "look_up", "arguments": {"name": "str.partition"}}', 0.0),
        TurnView("tool", "S.partition(sep) -> (head, sep, tail)", 0.0),
        row.turns[2],
    )
    packed = (PackedRow(index + 9, 0, 402), PackedRow(index, 402, len(tokens)), PackedRow(index + 4, 402 + len(tokens),
              210), PackedRow(index + 30, 612 + len(tokens), 302))  # fmt: skip
    return dataclasses.replace(
        row, turns=turns, tokens=tokens, part="train", file="/data/docstrings.jsonl", line=index + 1,
        tools=("look_up", "run_python"), findings=("over_length", "near_duplicate"), sequence=41, packed=packed,
        loss=2.31, fingerprint=f"{index:08x}" * 8,
    )  # fmt: skip


def table_rows(query: TableQuery, start: int, count: int, rich: bool = False) -> tuple[TableRow, ...]:
    """Return rows of a view of the table."""
    return tuple(table_row(index, query, rich) for index in range(start, start + count))


def table_row(index: int, query: TableQuery, rich: bool) -> TableRow:
    """Return one row of the table."""
    asked = ("What does str.partition(sep) do", "How do I join two paths", "Explain the difference of is and ==")
    said = ("Split the string at the first occurrence of sep, and return a 3-tuple.", "Use pathlib and the slash.",
            "is compares identity, == compares values.")  # fmt: skip
    hint = f" ({query.search})" if query.search else ""
    loss = round(6.0 / (1 + index / 40), 2) if rich else None
    label = ("positive", "negative", "neutral")[index % 3] if rich else ""
    return TableRow(
        index, f"{asked[index % 3]}, asked for the {index}th time?{hint}", said[index % 3], 61 + 7 * (index % 40),
        38 + 5 * (index % 40), label, "held_out" if index % 10 == 9 else "train", loss=loss,
    )  # fmt: skip
