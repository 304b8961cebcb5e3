"""What a person is told when the Hub, or the way to it, refuses something; the library's errors are known by name."""

from __future__ import annotations

import errno
from typing import Iterator, NamedTuple, Tuple

_OUT_OF_REACH = frozenset(
    (
        "ConnectError", "ConnectTimeout", "ReadTimeout", "PoolTimeout", "TimeoutException", "ProxyError", "ReadError",
        "ConnectionError", "Timeout", "SSLError", "RemoteProtocolError", "NetworkError", "LocalEntryNotFoundError",
        "FileMetadataError",
    )
)  # fmt: skip


class HubError(Exception):
    """The model or data set cannot be had; ``refusal`` is the sentence and its kind."""

    def __init__(self, sentence: str, kind: str) -> None:
        super().__init__(sentence)
        self.refusal = (sentence, kind)


class Refusal(NamedTuple):
    """What was asked for: its id, the revision or "", where, with a token or without, by which interpreter.

    ``noun`` is "model" or "data set".
    """

    repo: str
    revision: str
    endpoint: str
    has_token: bool
    python: str
    noun: str = "model"


def refusal(error: BaseException, asked: Refusal) -> Tuple[str, str]:
    """Return the sentence and the protocol's kind for an error of huggingface_hub or of what it is built on."""
    errors = list(_chain(error))
    names = [name for each in errors for name in _names(each)]
    if isinstance(error, ImportError):
        sentence = "{} has no huggingface_hub that works ({}); install it there with pip."
        return sentence.format(asked.python, error), "no_python"
    full = next((each for each in errors if isinstance(each, OSError) and each.errno == errno.ENOSPC), None)
    if full is not None:
        return "The node's disk is full; free some space and try again, what was fetched is kept.", "disk_full"
    if "OfflineModeIsEnabled" in names:
        return "The node is set to stay off the Hub (HF_HUB_OFFLINE); unset it there, or " + _by_hand(asked), "failed"
    if "GatedRepoError" in names:
        return _gated(asked), "bad_request"
    if "RevisionNotFoundError" in names:
        return "{} has no revision {} at {}.".format(asked.repo, asked.revision, asked.endpoint), "not_found"
    status = next((found for found in map(_status, errors) if found), 0)
    if "RepositoryNotFoundError" in names or status in (401, 403, 404):
        return _not_there(asked, status, "RepositoryNotFoundError" in names)
    if status:
        return _answered(asked, status), "failed"
    if "HFValidationError" in names:
        return "{!r} is no id that the Hub knows: {}".format(asked.repo, error), "bad_request"
    if _OUT_OF_REACH.intersection(names):
        sentence = "The node does not reach {}: {}. Try again, or {}"
        return sentence.format(asked.endpoint, _words(errors[-1]), _by_hand(asked)), "failed"
    return "{} could not be fetched: {}: {}".format(asked.repo, type(error).__name__, _words(error)), "failed"


def _gated(asked: Refusal) -> str:
    page = "{}/{}{}".format(asked.endpoint, "" if asked.noun == "model" else "datasets/", asked.repo)
    if asked.has_token:
        return (
            "{} is gated and the token's account may not have it (yet): accept its licence at {} with that account, "
            "or wait until its owners agree.".format(asked.repo, page)
        )
    return (
        "{} is gated: accept its licence at {}, then give Luthier a token of your account "
        "(set HF_TOKEN where Luthier is started).".format(asked.repo, page)
    )


def _not_there(asked: Refusal, status: int, is_missing: bool) -> Tuple[str, str]:
    if status == 403:
        return "The Hub does not let this token read {} (403).".format(asked.repo), "bad_request"
    if status == 401 and asked.has_token and not is_missing:
        return "The Hub does not accept the token (401); make a new one and set HF_TOKEN.", "bad_request"
    if asked.has_token:
        return (
            "There is no {} {} at {}, or it is private and the token's account may not read it.".format(
                asked.noun, asked.repo, asked.endpoint
            ),
            "not_found",
        )
    sentence = "There is no {} {} at {}, or it is private and needs a token (set HF_TOKEN where Luthier is started)."
    return sentence.format(asked.noun, asked.repo, asked.endpoint), "not_found"


def _answered(asked: Refusal, status: int) -> str:
    if status == 429:
        return "{} answered that there were too many requests (429); try again later.".format(asked.endpoint)
    return "{} answered with {}; try again later, what was fetched is kept.".format(asked.endpoint, status)


def _by_hand(asked: Refusal) -> str:
    kind = "" if asked.noun == "model" else " --repo-type dataset"
    return "download it elsewhere (hf download {}{}) and choose the folder.".format(asked.repo, kind)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen = []
    here = error
    while here is not None and here not in seen:
        seen.append(here)
        yield here
        here = here.__cause__ or here.__context__  # type: ignore[assignment]


def _names(error: BaseException) -> Iterator[str]:
    for kind in type(error).__mro__:
        yield kind.__name__


def _status(error: BaseException) -> int:
    status = getattr(getattr(error, "response", None), "status_code", 0)
    return status if isinstance(status, int) else 0


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
