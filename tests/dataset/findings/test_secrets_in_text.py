"""Keys in the formats of their services are found; what only looks like one is not."""

from __future__ import annotations

import random
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.findings.secrets_in_text import SHORTEST_KEY, find_email, find_secret

ALPHANUMERIC = string.ascii_letters + string.digits
SEEDED = random.Random(3)


def some(length: int, of: str = ALPHANUMERIC) -> str:
    return "".join(SEEDED.choices(of, k=length))


# Put together here, so that no scanner of this repository takes them for keys.
KEYS = {
    "AWS access key": "AKIA" + some(16, string.ascii_uppercase),
    "GitHub token": "ghp_" + some(36),
    "GitLab token": "glpat-" + some(20),
    "Slack token": "xoxb-" + some(12, string.digits) + "-" + some(12, string.digits) + "-" + some(24),
    "Slack webhook": "https://hooks.slack.com/services/T" + some(9, string.ascii_uppercase) + "/B"
    + some(9, string.ascii_uppercase) + "/" + some(24),
    "Stripe key": "sk_live_" + some(24),
    "private key": "-----BEGIN RSA PRIVATE KEY-----\n" + some(64) + "\n" + some(64),
    "JSON web token": "eyJ" + some(20) + ".eyJ" + some(40) + "." + some(43),
    "Hugging Face token": "hf_" + some(34, string.ascii_letters),
    "Anthropic key": "sk-ant-api03-" + some(93),
    "OpenAI key": "sk-proj-" + some(74),
    "Google API key": "AIza" + some(35),
    "SendGrid key": "SG." + some(22) + "." + some(43),
    "Twilio key": "SK" + some(32, "0123456789abcdef"),
    "npm token": "npm_" + some(36),
    "PyPI token": "pypi-AgEIcHlwaS5vcmc" + some(60),
    "Azure storage key": "AccountKey=" + some(86) + "==",
    "Telegram token": some(9, string.digits) + ":AA" + some(33),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_that_a_key_is_found_and_not_shown_whole(name: str) -> None:
    found = find_secret(f"My key is {KEYS[name]}, use it.")
    assert found.startswith(name)
    assert KEYS[name][8:] not in found
    assert max(map(len, KEYS[name].split())) >= SHORTEST_KEY


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
        "export OPENAI_API_KEY=sk-your-key-goes-right-here-and-nowhere-else-please-now",
        "hf_hub_download_with_progress_bars(repo_id)",
        "-----BEGIN PRIVATE KEY----- starts the header of such a file.",
        "-----BEGIN PUBLIC KEY-----\n" + some(64),
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4",
        "https://example.org/a/very/long/path?with=parameters&and=more&session=abcdef0123456789abcdef0123456789",
        "550e8400-e29b-41d4-a716-446655440000",
        "risk-averse-and-desk-bound-task-managers-everywhere-in-the-world-sk-",
        "pneumonoultramicroscopicsilicovolcanoconiosis",
        "sk-" + "1234567890" * 5,
    ],
)
def test_that_what_only_looks_like_a_key_is_none(text: str) -> None:
    assert find_secret(text) == ""


@pytest.mark.parametrize("text", ["ann.lee@uni-bonn.de", "To: <bob+news@mail.firma.co.uk>.", "x_y%z@a-b.org,"])
def test_that_an_address_is_found(text: str) -> None:
    assert find_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "user@example.com", "a@mail.example.org", "git@github.com:a/b.git", "@property", "a @ b.com", "x@y",
        "me@localhost", "you@yourdomain.com", "ann@host.test", "boss@company.com", "5 @ 3.50 each", "@user.name on X",
    ],
)  # fmt: skip
def test_that_example_addresses_and_at_signs_are_no_addresses(text: str) -> None:
    assert find_email(text) == ""


@given(st.text(alphabet=st.sampled_from(list("aA0._%+-@ xskghpeyJ:/=\n")), max_size=400))
def test_that_any_text_is_answered(text: str) -> None:
    assert isinstance(find_secret(text) + find_email(text), str)


@pytest.mark.parametrize("piece", ["a", "a.", "eyJa.", "xoxb-1-", "sk-", "a@", "SG.", "AA:", "-----BEGIN "])
def test_that_a_long_text_made_to_be_slow_is_read_in_time(piece: str) -> None:
    text = piece * (200_000 // len(piece)) + "@"
    began = time.process_time()
    find_secret(text)
    find_email(text)
    assert time.process_time() - began < 2.0
