"""Keys and tokens in the formats that services publish for them, and e-mail addresses; few false alarms come first.

Sources: the rules of gitleaks and detect-secrets, those with a fixed prefix or shape.
"""

from __future__ import annotations

import re

SHORTEST_KEY = 20
"""Every key has a run of at least so many characters without white space."""

_FORMATS = (
    ("AWS access key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    ("GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{60,}\b"),
    ("GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("Slack token", r"\bxox[abeoprs]-(?:\d+-)+[A-Za-z0-9]{16,}\b|\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{32,}\b"),
    ("Slack webhook", r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}"),
    ("Stripe key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{24,}\b"),
    ("private key", r"-----BEGIN[ A-Z0-9]{0,30} ?PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,300}?[A-Za-z0-9+/=]{40,}"),
    ("JSON web token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    ("Hugging Face token", r"\b(?:hf|api_org)_[A-Za-z0-9]{34,}\b"),
    ("Anthropic key", r"\bsk-ant-[a-z0-9]+-[A-Za-z0-9_-]{40,}"),
    ("OpenAI key", r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}|\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b"
                   r"|\bsk-[A-Za-z0-9]{48}\b"),
    ("Google API key", r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    ("SendGrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    ("Twilio key", r"\bSK[0-9a-f]{32}\b"),
    ("npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    ("Azure storage key", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
    ("Telegram token", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
)  # fmt: skip
_RUN_CUES = (
    r"A(?:KIA|SIA|BIA|CCA|Iza|ccountKey=)|gh[pousr]_|github_pat_|glpat-|xox|xapp-|slack\.com/services|[rs]k_(?:live|test)_"
    r"|eyJ|hf_|api_org_|sk-|SG\.|SK[0-9a-f]|npm_|pypi-Ag|:AA"
)
_HEADER = "PRIVATE KEY"
_CUES = re.compile(f"{_RUN_CUES}|{_HEADER}")
KEY_CUES = re.compile(_RUN_CUES.encode())
"""What stands in every key but a private one, as bytes: without it there is none."""
PRIVATE_KEY_CUE = re.compile(_HEADER.encode())
"""What stands above every private key."""
_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in _FORMATS)
_PLACEHOLDER = re.compile(r"EXAMPLE|example|(.)\1{5}|123456789|abcdefgh|[Yy]our|YOUR")
_FEWEST_CHARACTERS = 10
_SHOWN = 6

EMAIL_PATTERN = (
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_EMAIL = re.compile(EMAIL_PATTERN)
# RFC 2606 keeps some names for examples, people use others for them; git@ is no person.
_NOBODY = re.compile(
    r"git@|.*@(?:[^@]*example[^@]*|(?:your|my|the)?-?(?:domain|company|e?mail|website|site|host|server)\.(?:com|org|net)"
    r"|[^@]*\.(?:test|invalid|localhost))$",
    re.IGNORECASE,
)


def find_secret(text: str) -> str:
    """Return the kind of the first key in the text and its first characters, empty where there is none.

    Placeholders, such as AKIAIOSFODNN7EXAMPLE or a key of x's, are none.
    """
    if not _CUES.search(text):
        return ""
    for name, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            value = match.group()
            if len(set(value)) >= _FEWEST_CHARACTERS and not _PLACEHOLDER.search(value):
                return name if name == "private key" else f"{name} {value[:_SHOWN]}…"
    return ""


def find_email(text: str) -> str:
    """Return the first e-mail address, empty where there is none; those at example domains are none."""
    return next((match.group() for match in _EMAIL.finditer(text) if not _NOBODY.match(match.group())), "")
