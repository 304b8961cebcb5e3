"""Numbers as people say them."""

from __future__ import annotations

import math

import pytest

from studio.ui import words

NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.3142, "1.314"), (0.0, "0"), (2e-5, "2e-5"), (0.00015, "1.5e-4"), (0.0021, "0.0021"),
        (12431.0, f"12{NARROW}431"), (3.0, "3"), (math.nan, "NaN"), (math.inf, "∞"),
    ],
)  # fmt: skip
def test_that_a_number_has_four_digits_at_most(value: float, said: str) -> None:
    assert words.short_number(value) == said


@pytest.mark.parametrize("value", [2e-5, 1e-8, 0.95, 0.1, 3.0, 1.3e-5, 0.123456789, 1e20, 7.0000000001e-9, 0.0, -4e-5])
def test_that_an_exact_number_reads_back_as_the_same_bits(value: float) -> None:
    assert float(words.exact_float(value)) == value


def test_that_small_numbers_are_written_without_padding() -> None:
    assert words.exact_float(2e-5) == "2e-5"
    assert words.exact_float(1.5e-4) == "1.5e-4"


@pytest.mark.parametrize(
    ("value", "said"),
    [(999, "999"), (12_400, "12.4 k"), (134_515_008, "135 M"), (1_300_000_000, "1.3 B"), (9999, f"9{NARROW}999"),
     (6_738_415_616, "6.7 B"), (2_000_000, "2 M"), (999_960, "1 M")],
)  # fmt: skip
def test_that_a_count_carries_its_scale(value: int, said: str) -> None:
    assert words.count(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(65_712_160_000, "61.2 GiB"), (0, "0 bytes"), (2048, "2 KiB"), (564_133_888, "538 MiB"), (1024**3, "1 GiB")],
)
def test_that_bytes_are_told_in_binary_units(value: int, said: str) -> None:
    assert words.size(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.25, "0.2 s"), (12, "12 s"), (250, "4 min 10 s"), (11_520, "3 h 12 min"), (187_200, "2 d 4 h"), (3600, "1 h"),
     (-1, "–"), (math.nan, "–"), (59.7, "1 min")],
)  # fmt: skip
def test_that_a_duration_has_two_units_at_most(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_that_a_noun_follows_its_number() -> None:
    assert words.counted(1, "{} step", "{} steps") == "1 step"
    assert words.counted(0, "{} step", "{} steps") == "0 steps"
    assert words.counted(12_000, "{} step", "{} steps") == f"12{NARROW}000 steps"
    assert words.rate(12_400) == "12.4 k tokens/s"
    assert [words.percent(share) for share in (0.23, 0.004, 1.0, 0.0)] == ["23 %", "0.4 %", "100 %", "0 %"]
    assert [words.percent(share) for share in (0.99, 0.996, 0.9999)] == ["99 %", "99.6 %", "99.9 %"]
