"""What a follower makes of links that break, agents that are silent or lie, and a full desktop disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.frames import Frame
from remote_agent.contract.run_dir import segment_file
from studio.background import follower as follower_module
from studio.background.follower import Follower
from studio.remote.errors import AuthenticationFailed
from studio.store.library import Library
from tests.background.folder_agent import refuse
from tests.background.followed_node import OTHER, RUN, Node, Screen
from tests.support.journals import INCARNATION, step_line


def after(count: int, fault: Callable[[], None]) -> Callable[[], None]:
    """Return a fault that happens every ``count``-th time."""
    calls = iter(range(1, 1_000_000_000))

    def maybe() -> None:
        if next(calls) % count == 0:
            fault()

    return maybe


def test_that_a_link_cut_again_and_again_leaves_no_gap_and_no_repeat(
    node: Node, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "FIRST_DELAY_S", 0.002)
    node.write(1, 30_000)
    node.agent.on_receive = after(3, refuse("The connection to gpu-box ended."))
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    for last in range(30_001, 30_400, 7):
        node.write(last, last + 6)
    qtbot.waitUntil(lambda: len(screen.steps()) >= 30_399, timeout=20_000)
    assert screen.steps() == list(range(1, 30_400))
    assert node.kept() == node.written()
    assert len(node.agent.attached) > 3


def test_that_a_person_is_asked_once_and_waited_for(node: Node, qtbot: QtBot) -> None:
    node.write(1, 5)

    def no_key() -> None:
        raise AuthenticationFailed("gpu-box accepted none of your keys.")

    node.agent.on_attach = no_key
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: bool(screen.links))
    assert screen.links[0].kind == "needs_person"
    assert isinstance(screen.links[0].error, AuthenticationFailed)
    follower.follow(OTHER)
    follower.unfollow(OTHER)
    assert len(node.agent.attached) == 1
    node.agent.on_attach = lambda: None
    follower.retry()
    qtbot.waitUntil(lambda: len(screen.steps()) == 5)


def test_that_the_back_off_doubles_to_a_minute_and_says_when_the_next_try_comes(node: Node, qtbot: QtBot) -> None:
    node.agent.on_attach = refuse()
    follower = Follower(node.agent, node.library, lambda: 1.0, lambda: 1000.0)
    node.made.append(follower)
    screen = Screen(follower)
    follower.follow(RUN)
    follower.start()
    waits: list[float] = []
    for tries in range(1, 10):
        qtbot.waitUntil(partial(screen.has_waited, tries))
        link = [link for link in screen.links if link.next_try_s][-1]
        assert link.kind == "reconnecting" and link.sentence == "gpu-box refused the connection."
        waits.append(link.next_try_s - 1000.0)
        follower.retry()
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_that_the_jitter_never_more_than_halves_a_wait(node: Node, qtbot: QtBot) -> None:
    node.agent.on_attach = refuse()
    follower = Follower(node.agent, node.library, lambda: 0.0, lambda: 1000.0)
    node.made.append(follower)
    screen = Screen(follower)
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: bool(screen.links))
    assert screen.links[0].next_try_s == 1000.5


def test_that_an_overdue_answer_is_told_as_stale(node: Node, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "STALE_S", 0.2)
    node.write(1, 1)
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: len(screen.steps()) == 1)
    node.agent.is_silent = True
    qtbot.waitUntil(lambda: screen.links[-1].kind == "stale")
    node.agent.is_silent = False
    qtbot.waitUntil(lambda: screen.links[-1].kind == "connected")


def test_that_a_gap_in_what_comes_is_never_shown_and_asked_for_again(
    node: Node, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "FIRST_DELAY_S", 0.002)
    node.write(1, 5_000)
    left_out = [True]

    def leave_one_out(frames: list[Frame]) -> list[Frame]:
        if len(frames) > 1 and left_out:
            left_out.clear()
            return frames[:1] + frames[2:]
        return frames

    node.agent.edit = leave_one_out
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: len(screen.steps()) == 5_000)
    assert not left_out and screen.steps() == list(range(1, 5_001))
    assert any("gap" in link.sentence for link in screen.links)
    assert node.kept() == node.written()


@pytest.mark.parametrize(
    "head",
    [
        {"writer": "../x"}, {"writer": 7}, {"incarnation": 3}, {"segment": -1}, {"offset": "0"}, {"offset": 2**80},
        {"offset": True},
    ],
)  # fmt: skip
def test_that_frames_that_cannot_be_cost_the_channel_and_not_the_studio(
    node: Node, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, head: dict[str, object]
) -> None:
    monkeypatch.setattr(follower_module, "FIRST_DELAY_S", 0.002)
    node.write(1, 3)
    hostile = Frame({"frame": "journal", "run": RUN, "writer": "rank0", "segment": 0, "incarnation": INCARNATION,
                     "offset": 0} | head, b"x\n")  # fmt: skip
    sent = [hostile]
    node.agent.edit = lambda frames: [sent.pop(), *frames] if sent and frames else frames
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: len(screen.steps()) == 3)
    assert screen.links[0].kind == "connected" and any(link.kind == "reconnecting" for link in screen.links)


def test_that_damaged_lines_are_counted_and_the_rest_is_shown(node: Node, qtbot: QtBot) -> None:
    node.write(1, 10)
    with (node.folder / RUN / "journal" / segment_file("rank0", 0)).open("ab") as file:
        file.write(b"00000000 11 {}\n" + step_line(12, 12))
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: len(screen.steps()) == 11)
    assert sum(batch.damaged for batch in screen.of()) == 1
    assert node.kept() == node.written()


def test_that_a_full_desktop_disk_shows_on_says_so_and_makes_up_later(
    node: Node, small_disk: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "_STORE_RETRY_S", 0.05)
    monkeypatch.setattr(follower_module, "_UNSTORED_BYTES", 1 << 20)
    node.library.close()
    node.library = Library(small_disk / "library.db")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (7 << 20))
    node.write(1, 8_000)
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: len(screen.steps()) == 8_000 and bool(screen.troubles))
    assert "Make room on that disk" in screen.troubles[0]
    assert node.library.cursors(RUN) == {}, "more than may wait in memory came, and nothing of it was kept"
    ballast.unlink()
    qtbot.waitUntil(lambda: screen.troubles[-1] == "" and node.kept() == node.written())
    node.write(8_001, 8_010)
    qtbot.waitUntil(lambda: len(screen.steps()) == 8_010)
    assert screen.steps() == list(range(1, 8_011)), "making up shows nothing twice"
    assert node.kept() == node.written()


def test_that_stop_ends_a_follower_that_waits_for_its_next_try(node: Node, qtbot: QtBot) -> None:
    node.agent.on_attach = refuse()
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: bool(screen.links))
    assert follower.stop(5.0)
    assert follower.isFinished()
