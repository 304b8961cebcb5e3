"""Regular expressions replace as Python's do, and one that would never end is ended and said."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.steps.expression import Expression


def children() -> set[str]:
    """Return the processes that this one has started and not waited for."""
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


@given(texts=st.lists(st.text(alphabet="ab \n\\é😀\ud800", max_size=8), max_size=6))
def test_that_texts_come_back_as_pythons_own_matcher_has_them(texts: list[str]) -> None:
    assert SHARED.replaced(texts) == [re.sub(r"(a+)\s*(b)?", r"<\1\2>", text) for text in texts]


SHARED = Expression(r"(a+)\s*(b)?", r"<\1\2>")


@pytest.mark.parametrize(
    ("find", "text"),
    [(r"(a+)+$", "a" * 40 + "b"), (r"\s+$", " " * 200_000 + "x"), (r"(.*)(.*)(.*)(.*)(.*)(.*)y", "x" * 3000)],
    ids=["nested", "neighbouring", "many"],
)
def test_that_an_expression_that_takes_too_long_is_an_error_that_shows_the_text(find: str, text: str) -> None:
    expression = Expression(find, "", seconds=0.2)
    began = time.process_time()
    with pytest.raises(DataError, match=r"takes more than 0\.2 seconds on one text") as error:
        expression.replaced(["harmless", text, "never reached"])
    assert time.process_time() - began < 2
    assert repr(" ".join(text[:60].split())) in str(error.value)
    # It is of use afterwards: the next texts get a process of their own.
    assert expression.replaced(["abc"]) == ["abc"]


def test_that_no_process_is_left_behind() -> None:
    before = children()
    expression = Expression("a", "b")
    assert expression.replaced(["aha"]) == ["bhb"]
    assert len(children() - before) == 1
    del expression
    assert children() <= before


@pytest.mark.parametrize(("find", "put"), [("(a", ""), ("a", r"\1"), ("a", r"\g<name>"), ("*", "")])
def test_that_what_is_no_expression_is_refused(find: str, put: str) -> None:
    with pytest.raises(DataError, match="no regular expression that can be used"):
        Expression(find, put).replaced(["a"])


def test_that_several_threads_may_ask_one_expression() -> None:
    expression = Expression("[0-9]+", "n")
    found: dict[int, list[str]] = {}

    def ask(number: int) -> None:
        found[number] = [expression.replaced([f"{number}x{turn}"])[0] for turn in range(20)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: ["nxn"] * 20 for number in range(4)}
