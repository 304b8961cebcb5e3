"""What a row's texts show: damaged characters, refusals, empty answers and roles out of order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.findings.row_batch import spoken
from remote_agent.dataset.findings.secrets_in_text import find_secret
from remote_agent.dataset.findings.text_checks import (
    find_control,
    find_lost,
    find_mojibake,
    is_empty_answer,
    refusal_in,
    role_oddity,
    undamaged,
)
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from tests.dataset.findings.looking import chat, look, roles, rows_of
from tests.dataset.findings.test_secrets_in_text import KEYS


def as_cp1252(text: str) -> str:
    return text.encode("utf-8").decode("cp1252")


@pytest.mark.parametrize("text", ["l’été", "“so”", "naïve café", "Straße", "🙂 smile", "5 °C", "привет", "日本語"])
def test_that_text_read_in_the_wrong_encoding_is_told_with_what_it_should_be(text: str) -> None:
    try:
        damaged = as_cp1252(text)
    except UnicodeDecodeError:
        damaged = text.encode("utf-8").decode("latin-1")
    assert find_mojibake(damaged), damaged
    assert not find_mojibake(text)


@pytest.mark.parametrize(
    "text",
    [
        "MAÇÃ",
        "NÃO É",
        "«São Paulo»",
        "“MAÇÔ, he said",
        "Âge d’or",
        "â la carte",
        "ÃO",
        "Ðà, ñandú",
        "naïve — café",
        "Ä–Ö",
    ],
)
def test_that_words_with_accents_are_not_taken_for_damage(text: str) -> None:
    assert find_mojibake(text) == ""


@given(st.characters(min_codepoint=0xA0, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cn", "Co", "Cc")))
def test_that_what_was_damaged_is_turned_back_to_what_it_was(character: str) -> None:
    assert undamaged(character.encode("utf-8").decode("latin-1")) == character


def test_that_replacement_characters_are_shown_where_they_stand() -> None:
    assert find_lost("Mongola to God's�Window section") == '"ongola to God\'s�Window section"'
    assert find_lost("God's Window") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\0b", "U+0000 (NUL)"),
        ("\x1b[31mred", "U+001B (escape)"),
        ("a\x85b", "U+0085"),
        ("page\x0cbreak", "U+000C (form feed)"),
    ],
)
def test_that_control_characters_are_named(text: str, shown: str) -> None:
    assert find_control(text) == shown


def test_that_line_ends_tabs_and_joined_emoji_are_no_control_characters() -> None:
    assert find_control("a\r\n\tb 👩‍👩‍👧 \u00a0« ok » می‌خواهم") == ""


REFUSALS = [
    "As an AI language model, I cannot help with that.",
    "I'm sorry, but I can't assist with that request.",
    "I’m sorry, but I cannot fulfil this.",
    "I am sorry, but as an AI language model, I do not have access to this.",
    "Sorry, I can't help with that.",
    "As an AI, I don't have personal opinions.",
    "I cannot assist with that.",
    "I'm just an AI and do not have feelings.",
    "Unfortunately, I am unable to access the internet.",
]
ANSWERS = [
    "I'm sorry for your loss. Here is a letter you can send.",
    "I am sorry to hear that you are ill.",
    "Sorry is a word of five letters.",
    "As an AI researcher, you will need mathematics.",
    "As an AI assistant, I would translate it so.",
    "I can't wait to see you, he wrote.",
    "I cannot believe it is June.",
    "Sincerely, as an artist I paint.",
    "Unfortunately, the train was late.",
    "I'm sorry I missed your call. Could we talk tomorrow?",
    "I am an aide to the senator and cannot be named.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_that_boilerplate_refusals_are_found(text: str) -> None:
    assert refusal_in(chat("Do it.", text).turns)


@pytest.mark.parametrize("text", ANSWERS)
def test_that_answers_which_only_sound_alike_are_no_refusals(text: str) -> None:
    assert refusal_in(chat("Do it.", text).turns) == ""


def test_that_a_user_who_says_such_a_thing_is_no_refusal() -> None:
    assert refusal_in(chat(REFUSALS[0], "Why do you say so?").turns) == ""


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("user", "user", "assistant"), "two turns of the user follow each other"),
        (("user", "assistant", "assistant"), "two turns of the assistant follow each other"),
        (("assistant", "user", "assistant"), "the assistant speaks first"),
        (("system", "assistant"), "the assistant speaks first"),
        (("user", "assistant", "user"), "it ends with the user's turn"),
        (("user", "assistant", "tool"), "it ends with the tool's turn"),
        (("user", "system", "assistant"), "a system turn stands after the first turn"),
        (("user", "tool", "assistant"), "a tool answers the user"),
        (("system",), "nobody speaks after the system turn"),
    ],
)
def test_that_roles_out_of_order_are_said(names: tuple[str, ...], said: str) -> None:
    assert role_oddity(roles(*names).turns) == said


@pytest.mark.parametrize(
    "names",
    [
        ("user", "assistant"),
        ("system", "user", "assistant", "user", "assistant"),
        ("user", "assistant", "tool", "tool", "assistant"),
        ("text",),
    ],
)
def test_that_usual_orders_of_roles_are_no_finding(names: tuple[str, ...]) -> None:
    assert role_oddity(roles(*names).turns) == ""


def test_that_a_call_without_words_is_no_empty_answer() -> None:
    assert is_empty_answer(Turn("assistant", " \n"))
    assert not is_empty_answer(Turn("assistant", "", {"tool_calls": [{"function": {"name": "f"}}]}))
    assert not is_empty_answer(Turn("user", ""))


def test_that_the_scan_names_each_row_once_whatever_its_batch(model: ModelTokenizer) -> None:
    rows: list[Conversation | None] = [
        chat("Where is it?", "At l’été, 日本."),
        chat("Where is it?", as_cp1252("At l’été.") + " \0 \x01"),
        chat("Who?", "God's�Window"),
        chat("Mail?", "To ann@uni-bonn.de and bob@uni-bonn.de"),
        chat("Key?", "ghp_" + "a1B2c3D4e5F6g7H8i9" * 2),
        chat("So?", "\n "),
        chat("So?", REFUSALS[0]),
        roles("user", "user", "assistant"),
    ]
    assert rows_of(look(rows, model, kinds={
        "wrong_encoding", "lost_characters", "control_characters", "secret", "email", "empty_response", "refusal",
        "role_order",
    })) == {
        "empty_response": [5], "role_order": [7], "wrong_encoding": [1], "lost_characters": [2],
        "control_characters": [1], "refusal": [6], "secret": [4], "email": [3],
    }  # fmt: skip


def test_that_the_scan_finds_the_rows_whose_text_alone_has_a_key(model: ModelTokenizer) -> None:
    rows: list[Conversation | None] = []
    for key in KEYS.values():
        long = "https://example.org/" + "a-long-path/" * 4
        rows += [chat("Key?", f"{long} «{key}» {long}"), chat("Key?", long), chat(f"{key[:9]} é", key[-9:])]
    alone = [at for at, row in enumerate(rows) if row is not None and find_secret(spoken(row.turns))]
    assert len(alone) == len(KEYS)
    assert rows_of(look(rows, model, kinds={"secret"})) == {"secret": alone}
