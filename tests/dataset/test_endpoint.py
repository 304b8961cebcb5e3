"""An endpoint is asked only with consent, tried again where that may help, and its refusal is a sentence."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from remote_agent.contract.data_steps import AugmentStep
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.endpoint import TOKEN, Endpoint


class Server(ThreadingHTTPServer):
    """Answers with what was asked, in capitals, once ``failures`` are used up."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.failures: list[int] = []
        self.asked: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.nonsense = False

    def step(self, **fields: Any) -> AugmentStep:
        url = f"http://127.0.0.1:{self.server_port}/v1/chat/completions"
        return AugmentStep(**{"method": "endpoint", "url": url, "model": "m", "consent": True, **fields})


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        self.server.tokens.append(self.headers.get("Authorization"))
        status = self.server.failures.pop(0) if self.server.failures else 200
        text = asked["messages"][0]["content"].upper()
        answer: Any = {"choices": [{"message": {"content": f" {text} "}}]} if not self.server.nonsense else ["?"]
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", TOKEN):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def go_on(seconds: float) -> bool:
    return False


def note(pauses: list[float], seconds: float) -> bool:
    pauses.append(seconds)
    return False


def test_that_each_text_is_asked_with_its_prefix_and_the_token_of_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, "secret")
    assert Endpoint(server.step(prefix="Say again: ", max_tokens=9), go_on)(["ha", "ho"]) == [
        "SAY AGAIN: HA",
        "SAY AGAIN: HO",
    ]
    assert [(one["model"], one["max_tokens"]) for one in server.asked] == [("m", 9)] * 2
    assert server.tokens == ["Bearer secret"] * 2


def test_that_without_consent_nothing_is_sent(server: Server) -> None:
    with pytest.raises(DataError, match="Rows may leave"):
        Endpoint(server.step(consent=False), go_on)
    assert server.asked == []


def test_that_a_busy_endpoint_is_tried_again_with_longer_pauses(server: Server) -> None:
    pauses: list[float] = []
    server.failures = [429, 503]
    endpoint = Endpoint(server.step(), lambda seconds: note(pauses, seconds))
    assert endpoint(["a"]) == ["A"]
    assert pauses == [1.0, 2.0]


def test_that_a_refusal_is_told_at_once_and_a_cancel_ends_the_pauses(server: Server) -> None:
    server.failures = [401]
    with pytest.raises(DataError, match="answered with 401"):
        Endpoint(server.step(), go_on)(["a"])
    server.failures = [500] * 9
    with pytest.raises(CancelledError):
        Endpoint(server.step(), lambda seconds: True)(["a"])


def test_that_an_answer_of_another_form_and_a_dead_address_are_sentences(server: Server) -> None:
    server.nonsense = True
    with pytest.raises(DataError, match="did not answer with"):
        Endpoint(server.step(), go_on)(["a"])
    with pytest.raises(DataError, match="cannot be reached"):
        Endpoint(AugmentStep(method="endpoint", url="http://127.0.0.1:1/", consent=True), go_on)(["a"])
    with pytest.raises(DataError, match="no http or https address"):
        Endpoint(AugmentStep(method="endpoint", url="file:///etc/passwd", consent=True), go_on)
