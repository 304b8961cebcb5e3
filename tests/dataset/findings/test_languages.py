"""Rows in another language than the rest, and none where there is no main language."""

from __future__ import annotations

from remote_agent.dataset.tokenizer_files import ModelTokenizer
from tests.dataset.findings.looking import chat, look, rows_of

ENGLISH = (
    "The river was high this morning and the children went to see it with their grandmother.",
    "You should boil the potatoes for twenty minutes before you put them into the oven.",
    "There is no simple answer to that question, but most people would say that it depends.",
    "A function takes its arguments, does something with them and returns a result to its caller.",
)
OTHERS = {
    "de": "Am Morgen war der Fluss sehr hoch, und die Kinder gingen mit ihrer Großmutter hin, um ihn zu sehen.",
    "fr": "Ce matin la rivière était haute et les enfants sont allés la voir avec leur grand-mère.",
    "ja": "今朝は川の水位が高く、子供たちは祖母と一緒に見に行きました。"
    "それはとても楽しい一日でしたので、また行きたいと思います。"
    "明日は天気が良ければ、みんなで山へ行く予定です。",
}
CODE = (
    "def f(x):\n    return {k: v for k, v in x.items() if v is not None}\n\nfor i in range(10):\n    print(f({i: i}))"
)


def english(count: int) -> list[str]:
    return [f"{ENGLISH[at % 4]} {ENGLISH[(at * 3 + 1) % 4]} Number {at}." for at in range(count)]


def test_that_rows_in_another_language_are_found_before_and_after_the_words_are_learnt(model: ModelTokenizer) -> None:
    texts = english(700)
    for at, text in zip((5, 300, 650), OTHERS.values(), strict=True):
        texts[at] = text
    found = look([chat("Say it.", text) for text in texts], model, kinds={"other_language"})
    assert rows_of(found) == {"other_language": [5, 300, 650]}
    assert found["other_language"].detail == "de 1, fr 1, ja 1; most are en"


def test_that_short_rows_code_and_numbers_are_no_other_language(model: ModelTokenizer) -> None:
    texts = [*english(40), "Oui.", "42", CODE, "[1, 2, 3]", "x = 5", "Bonjour"]
    assert look([chat("Go.", text) for text in texts], model, kinds={"other_language"}) == {}


def test_that_a_mixed_set_has_no_rest_to_differ_from(model: ModelTokenizer) -> None:
    texts = [*english(30), *[OTHERS["de"]] * 20]
    assert look([chat("Go.", text) for text in texts], model, kinds={"other_language"}) == {}
    assert look([], model, kinds={"other_language"}) == {}
