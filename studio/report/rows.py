"""Rows in the report: as a conversation, and as the tokens that are trained."""

from __future__ import annotations

from collections.abc import Sequence

from remote_agent.contract.data_report import RowView, TokenSpan
from studio.report.markup import Html, element, joined

TEXT_CHARACTERS, TURNS, TOKENS = 280, 4, 600


def row_card(row: RowView, with_tokens: bool = False) -> Html:
    """Return one row: where it stands, what is wrong with it, and its turns or its tokens."""
    parts: list[Html] = [element("p", *_heading(row), class_="soft")]
    if row.problem:
        parts.append(element("p", row.problem))
    parts += [row_tokens(row.tokens)] if with_tokens and row.tokens else _turns(row)
    return element("div", *parts, class_="row")


def row_tokens(tokens: Sequence[TokenSpan]) -> Html:
    """Return tokens in the colours of the legend; what lies beyond the first few hundred is counted."""
    spans = [element("span", _shown(token.text), class_=_kind(token), title=_about(token)) for token in tokens[:TOKENS]]
    parts = [element("div", *spans, class_="tokens", dir="auto")]
    if len(tokens) > TOKENS:
        parts.append(element("p", f"… and {len(tokens) - TOKENS:,} more tokens", class_="soft"))
    return joined(*parts)


def legend() -> Html:
    """Return what the colours of tokens mean."""
    kinds = (("trained", "trained"), ("masked", "masked: read, not learnt"), ("special", "special"),
             ("special trained", "special, trained"), ("truncated", "cut off"))  # fmt: skip
    return element("p", *(element("span", words, class_=kind) for kind, words in kinds), class_="legend")


def _heading(row: RowView) -> list[Html | str]:
    parts = [f"Row {row.index + 1:,}"]
    if row.file:
        parts.append(f"{row.file}, line {row.line:,}" if row.line else row.file)
    if row.label:
        parts.append(f"class {row.label}")
    if row.part:
        parts.append("held out" if row.part == "held_out" else "training")
    if row.tokens:
        trained = sum(token.trained for token in row.tokens)
        parts.append(f"{len(row.tokens):,} tokens, {trained:,} trained")
    if row.loss is not None:
        parts.append(f"loss {row.loss:.3f}")
    return ["  ·  ".join(parts)]


def _turns(row: RowView) -> list[Html]:
    if not row.turns:
        return [element("div", _cut(row.text), class_="text", dir="auto")] if row.text else []
    parts = []
    for turn in row.turns[:TURNS]:
        role = element("div", turn.role + ("" if turn.weight else " (not learnt)"), class_="role")
        text = element("div", _cut(turn.content) or "(empty)", class_="text", dir="auto")
        parts.append(element("div", role, text, class_="turn"))
    if len(row.turns) > TURNS:
        parts.append(element("p", f"… and {len(row.turns) - TURNS:,} more turns", class_="soft"))
    return parts


def _cut(text: str) -> str:
    if len(text) <= TEXT_CHARACTERS:
        return text
    return f"{text[:TEXT_CHARACTERS]} … ({len(text) - TEXT_CHARACTERS:,} more characters)"


def _kind(token: TokenSpan) -> str:
    if token.truncated:
        return "truncated"
    if token.special:
        return "special trained" if token.trained else "special"
    return "trained" if token.trained else "masked"


def _about(token: TokenSpan) -> str:
    said = f"id {token.id}, {'trained' if token.trained else 'masked'}"
    if token.trained and token.weight != 1:
        said += f", weight {token.weight:g}"
    return said if token.loss is None else f"{said}, loss {token.loss:.3f}"


def _shown(text: str) -> str:
    """Return a token with its line ends visible: they are what a template often gets wrong."""
    return text.replace("\n", "⏎\n")
