from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from studio.store.log_lines import MAX_LINE_CHARACTERS, LogLines, plain_text


def test_that_lines_come_whole_however_the_pieces_are_cut() -> None:
    reader = LogLines()
    assert reader.feed(b"one\ntw") == ["one"]
    assert reader.held_bytes == 2
    assert reader.feed(b"o\nthree") == ["two"]
    assert reader.finish() == ["three"]
    assert reader.finish() == []


def test_that_a_progress_bar_is_folded_to_its_last_state() -> None:
    assert LogLines().feed(b"\r 10%\r 50%\r100%\nnext\r\n") == ["100%", "next"]


def test_that_a_bar_that_never_ends_its_line_does_not_grow() -> None:
    reader = LogLines()
    for percent in range(20_000):
        assert reader.feed(b"\rstep %d of many, many steps" % percent) == []
    assert reader.feed(b"\n") == ["step 19999 of many, many steps"]


def test_that_escapes_and_control_characters_are_taken_out() -> None:
    assert plain_text("\x1b[31mred\x1b[0m and \x1b]8;;file:///etc/passwd\x07link\x1b]8;;\x07") == "red and link"
    assert plain_text("\x1b]52;c;c3RlYWw=\x1b\\clip") == "clip"
    assert plain_text("a\x00b\x07c\x9bd\u2028e") == "abce"
    assert plain_text("tab\there") == "tab     here"


def test_that_characters_that_turn_the_reading_direction_are_shown() -> None:
    assert plain_text("safe\u202egnp.exe") == "safe<U+202E>gnp.exe"


def test_that_html_stays_the_text_it_is() -> None:
    assert plain_text("<img src=/etc/hostname>") == "<img src=/etc/hostname>"


def test_that_a_long_line_is_cut() -> None:
    lines = LogLines().feed(b"x" * 5_000_000 + b"\nshort\n")
    assert len(lines[0]) < MAX_LINE_CHARACTERS + 20 and lines[0].endswith("(cut)")
    assert lines[1] == "short"


def test_that_a_flood_gives_its_last_lines_only() -> None:
    lines = LogLines().feed(b"".join(b"%d\n" % number for number in range(50_000)), at_most=100)
    assert lines == [str(number) for number in range(49_900, 50_000)]


@given(st.binary(max_size=400), st.integers(1, 40))
def test_that_the_cut_of_the_pieces_does_not_matter(data: bytes, size: int) -> None:
    whole, pieces = LogLines(), LogLines()
    expected = whole.feed(data) + whole.finish()
    found = [line for start in range(0, len(data), size) for line in pieces.feed(data[start : start + size])]
    assert found + pieces.finish() == expected


@given(st.text(max_size=200))
def test_that_no_control_character_is_left_in_any_text(text: str) -> None:
    codes = [ord(character) for character in plain_text(text) if character != "\n"]
    assert not any(code < 32 or 127 <= code < 160 for code in codes)
