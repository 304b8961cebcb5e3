"""The language of the window: the system's where there is a translation, or what LUTHIER_LANGUAGE names.

Most texts are translated where they are written. Code without Qt, such as the rules of a job, says finished English
sentences; `told` finds the text that such a sentence was made from and puts its values into the translation.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QLocale, QTranslator

VARIABLE = "LUTHIER_LANGUAGE"
ENGLISH = "en"
TRANSLATED = ("vi",)
"""The languages that have a translation, by their ISO 639 codes; the texts in the code are English."""

SENTENCES, FIELDS = "sentences", "JobSpec"
"""The contexts of what code without Qt says, and of the job spec's fields, which such sentences name."""

_source: Path | None = None


class _Template(NamedTuple):
    """A text that sentences are made from, with its values as {0}, {1}, and what matches such a sentence."""

    text: str
    pattern: re.Pattern[str]
    fixed: int


def start(app: QCoreApplication, resources: Path) -> str:
    """Load the translation in question, before any text is drawn, and return the code of the language.

    English costs nothing: no translator is made for it. Raises OSError where a translation cannot be read.
    """
    global _source
    _source = None
    told.cache_clear()
    language = language_of(os.environ, QLocale.system().uiLanguages())
    if language == ENGLISH:
        return language
    translator = QTranslator(app)
    path = resources / "translations" / f"luthier_{language}.qm"
    if not translator.load(str(path)):
        raise OSError(f"The translation {path} cannot be read; {VARIABLE}=en opens Luthier in English.")
    app.installTranslator(translator)
    _source = path.with_suffix(".ts")
    return language


def language_of(environment: Mapping[str, str], preferred: Sequence[str]) -> str:
    """Return the language to use: the environment's if it names one, else the first preferred one that there is.

    Args:
        environment: the process's variables; a language there may have a territory, such as ``vi_VN.UTF-8``.
        preferred: the system's languages in the user's order, such as ``vi-Latn-VN``.
    """
    named = environment.get(VARIABLE, "")
    for tag in [named] if named else preferred:
        code = tag.replace("_", "-").split("-")[0].lower()
        if code == ENGLISH or code in TRANSLATED:
            return code
    return ENGLISH


@functools.lru_cache(maxsize=512)
def told(sentence: str) -> str:
    """Return an English sentence in the language in force, as it is where it was made from no known text."""
    if _source is None or not sentence:
        return sentence
    for template in _templates(_source):
        found = template.pattern.fullmatch(sentence)
        if found:
            values = [_value(value) for value in found.groups()]
            return QCoreApplication.translate(SENTENCES, template.text).format(*values)
    return sentence


def _value(value: str) -> str:
    """Return a value of a sentence: the label of a field, a sentence in its turn, or what is no text of ours."""
    label = QCoreApplication.translate(FIELDS, value)
    return label if label != value else told(value)


@functools.lru_cache(maxsize=1)
def _templates(source: Path) -> tuple[_Template, ...]:
    """Return the texts that sentences are made from, the ones with the most words of their own first."""
    from xml.etree import ElementTree  # only who needs it pays for it

    found = []
    for context in ElementTree.parse(source).getroot().iter("context"):  # noqa: S314 - our own file
        if context.findtext("name") == SENTENCES:
            for text in (message.findtext("source") or "" for message in context.iter("message")):
                fixed = re.split(r"\{\d+\}", text)
                pattern = re.compile("(.+?)".join(map(re.escape, fixed)), re.DOTALL)
                found.append(_Template(text, pattern, sum(map(len, fixed))))
    return tuple(sorted(found, key=lambda template: -template.fixed))
