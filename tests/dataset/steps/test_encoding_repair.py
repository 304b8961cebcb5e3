"""Text that was read in the wrong encoding comes back, and text that was not stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.steps.encoding_repair import repaired


def misread(text: str) -> str:
    """Read UTF-8 as Windows-1252 the way programs do it: bytes that it leaves out become Latin-1's."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "It’s “fine” … really — 5 € each",
        "café, naïve, Zürich, Ærø, señor",
        "Ça coûte 3 £ à l’été",
        "tiếng Việt: một hai ba bốn",
        "привет, как дела?",
        "日本語のテキスト",
        "done 👍 🎉",
        "dû",
        "10 °C",
    ],
)
def test_that_misread_text_comes_back_also_when_it_was_misread_twice(text: str) -> None:
    assert misread(text) != text
    assert repaired(misread(text)) == text
    assert repaired(misread(misread(text))) == text
    assert repaired(misread(text).encode().decode()) == text


def test_that_text_read_as_latin_1_comes_back() -> None:
    for text in ("It’s", "Zürich – Genève"):
        assert repaired(text.encode().decode("latin-1")) == text


@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII",
        "café, naïve, Zürich",
        "«CAFÉ» et «AMANHû",
        "CÂMARA DOS DEPUTADOS, IRMÃ",
        "TÉLÉ… et CAFÉ…",
        "tiếng Việt có dấu",
        "Ελληνικά και русский и 日本語",
        "Straße, weiß, Fuß",
        "50 €, “quotes” – and dashes… ×2",
        "à » b",
        "Ðóra og Þór",
        "naïve � replacement",
    ],
)
def test_that_text_that_is_meant_so_stays(text: str) -> None:
    assert repaired(text) == text


def test_that_only_the_damaged_part_of_a_text_changes() -> None:
    assert repaired("“right” and itâ€™s wrong, naïve") == "“right” and it’s wrong, naïve"


@given(st.text(alphabet="aé’ÃÂâ€™©»ð Ÿ\u0080\u009d\u00a0", max_size=12))
def test_that_repaired_text_stays_as_it_is(text: str) -> None:
    once = repaired(text)
    assert repaired(once) == once
    assert len(once) <= len(text)
