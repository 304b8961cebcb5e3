from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import StateChanged
from remote_agent.contract.frames import Frame
from remote_agent.contract.run_dir import segment_file
from studio.background import follower as follower_module
from studio.background.follower import Follower
from studio.remote.errors import AuthenticationFailed
from studio.store.library import Library
from studio.store.live import Position
from tests.background.folder_agent import refuse
from tests.background.followed_node import OTHER, RUN, Node, Screen
from tests.support.journals import INCARNATION, event_lines, header_line, step_line, step_segments


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    library = Library(tmp_path / "library.db")
    made = Node(tmp_path / "runs", library)
    made.folder.mkdir()
    yield made
    for follower in made.made:
        assert follower.stop()
    assert made.agent.open_streams == 0
    library.close()


def after(count: int, fault: Callable[[], None]) -> Callable[[], None]:
    """Return a fault that happens every ``count``-th time."""
    calls = iter(range(1, 1_000_000_000))

    def maybe() -> None:
        if next(calls) % count == 0:
            fault()

    return maybe


def test_that_a_run_arrives_is_kept_and_goes_on_live(node: Node, qtbot: QtBot) -> None:
    node.write(1, 500)
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: screen.has_caught_up() and len(screen.steps()) == 500)
    node.write(501, 510)
    qtbot.waitUntil(lambda: len(screen.steps()) == 510)
    assert screen.steps() == list(range(1, 511))
    assert node.kept() == node.written()
    assert screen.links[0].kind == "connected"


def test_that_what_is_shown_was_kept_before(node: Node, qtbot: QtBot) -> None:
    node.write(1, 50)
    follower, screen = node.follower()
    kept: list[int] = []
    screen.before_batch = lambda: kept.append(node.kept().count(b"step") // 2)
    follower.follow(RUN)
    follower.start()
    for last in range(60, 100, 10):
        node.write(last - 9, last)
        qtbot.waitUntil(partial(screen.has_steps, last))
    shown = [sum(len(batch.steps) for batch in screen.of()[: index + 1]) for index in range(len(screen.of()))]
    assert all(kept_then >= shown_then for kept_then, shown_then in zip(kept, shown, strict=True))


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


def test_that_a_second_window_takes_up_exactly_where_the_first_stopped(node: Node, qtbot: QtBot) -> None:
    node.write(1, 100)
    first, screen = node.follower()
    first.follow(RUN)
    first.start()
    qtbot.waitUntil(lambda: len(screen.steps()) == 100)
    assert first.stop()
    node.write(101, 200)
    second, screen = node.follower()
    second.follow(RUN)
    second.start()
    qtbot.waitUntil(lambda: len(screen.steps()) == 100)
    assert screen.steps() == list(range(101, 201))
    assert node.kept() == node.written()


def test_that_two_followers_of_one_library_both_show_all(node: Node, qtbot: QtBot) -> None:
    node.write(1, 5_000)
    screens = []
    for _ in range(2):
        follower, screen = node.follower()
        follower.follow(RUN, Position())
        follower.start()
        screens.append(screen)
    qtbot.waitUntil(lambda: all(len(screen.steps()) == 5_000 for screen in screens))
    node.write(5_001, 5_100)
    qtbot.waitUntil(lambda: all(len(screen.steps()) == 5_100 for screen in screens))
    assert all(screen.steps() == list(range(1, 5_101)) for screen in screens)
    assert node.kept() == node.written()


def test_that_one_channel_serves_all_runs_and_a_further_one_joins(node: Node, qtbot: QtBot) -> None:
    node.write(1, 10)
    node.write(1, 20, OTHER)
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: len(screen.steps()) == 10)
    follower.follow(OTHER)
    qtbot.waitUntil(lambda: len(screen.steps(OTHER)) == 20)
    node.write(11, 12)
    qtbot.waitUntil(lambda: len(screen.steps()) == 12)
    assert set(node.agent.attached[-1]) == {RUN, OTHER}
    assert node.agent.open_streams == 1
    follower.unfollow(RUN)
    qtbot.waitUntil(lambda: set(node.agent.attached[-1]) == {OTHER})


def test_that_following_again_goes_on_where_it_stood_and_tells_once_more_that_it_caught_up(
    node: Node, qtbot: QtBot
) -> None:
    node.write(1, 60_000)
    follower, screen = node.follower()
    follower.follow(RUN, Position())
    follower.start()
    for _ in range(20):
        # in the midst of the backfill, as a session does when it learns that the run is over
        told = len(screen.batches)
        qtbot.waitUntil(partial(screen.has_more_than, told))
        follower.unfollow(RUN)
        follower.follow(RUN)
        if screen.has_steps(60_000):
            break
    qtbot.waitUntil(lambda: len(screen.steps()) == 60_000 and screen.batches[-1][RUN].caught_up, timeout=20_000)
    assert screen.steps() == list(range(1, 60_001))
    assert node.kept() == node.written()


def test_that_a_deleted_run_that_was_on_its_way_disturbs_no_other(node: Node, qtbot: QtBot) -> None:
    node.write(1, 10)
    node.write(1, 10, OTHER)
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.follow(OTHER)
    follower.start()
    qtbot.waitUntil(lambda: screen.has_steps(10) and len(screen.steps(OTHER)) == 10)
    node.library.delete_run(OTHER)
    node.write(11, 20, OTHER)
    follower.unfollow(OTHER)
    node.write(11, 20)
    qtbot.waitUntil(lambda: screen.has_steps(20))
    assert {link.kind for link in screen.links} == {"connected"}


def test_that_a_run_the_node_does_not_have_is_told_and_asked_for_no_more(node: Node, qtbot: QtBot) -> None:
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: any(batch.gone for batch in screen.of()))
    qtbot.waitUntil(lambda: node.agent.open_streams == 0)
    assert len(node.agent.attached) == 1


def test_that_logs_arrive_as_whole_lines_across_a_cut(
    node: Node, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "FIRST_DELAY_S", 0.002)
    node.write(1, 1)
    log = node.folder / RUN / "log" / "rank1.log"
    log.write_bytes(b"loading\nhalf a ")
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: screen.log() == [(1, "loading")])
    node.agent.on_receive = refuse()
    qtbot.waitUntil(lambda: any(link.kind == "reconnecting" for link in screen.links))
    with log.open("ab") as file:
        file.write(b"line\n")
    node.agent.on_receive = lambda: None
    qtbot.waitUntil(lambda: (1, "half a line") in screen.log())
    assert screen.log() == [(1, "loading"), (1, "half a line")]
    assert b"".join(piece.body for piece in node.library.logs(RUN)) == log.read_bytes()


def test_that_the_overview_is_shown_first_and_the_whole_run_after(node: Node, qtbot: QtBot) -> None:
    journal = node.folder / RUN / "journal"
    journal.mkdir(parents=True)
    (node.folder / RUN / "log").mkdir()
    for number, body in enumerate(step_segments(40_000, RUN)):
        (journal / segment_file("rank0", number)).write_bytes(body)
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(screen.has_caught_up, timeout=20_000)
    preview = screen.of()[0].preview
    assert preview is not None and 1_900 <= len(preview) <= 2_100
    assert preview.column("step")[-1] > 39_000 and not len(screen.of()[0].steps)
    assert screen.steps() == list(range(1, 40_001))
    assert node.kept() == node.written()


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


def test_that_stopping_keeps_what_came_last(node: Node, qtbot: QtBot) -> None:
    node.write(1, 100)
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: len(screen.steps()) == 100)
    node.write(101, 102)
    qtbot.waitUntil(lambda: len(screen.steps()) > 100)
    assert follower.stop()
    assert len(node.kept().splitlines()) - 1 == screen.steps()[-1]


def test_that_stop_ends_a_follower_that_waits_for_its_next_try(node: Node, qtbot: QtBot) -> None:
    node.agent.on_attach = refuse()
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(lambda: bool(screen.links))
    assert follower.stop(5.0)
    assert follower.isFinished()


def test_that_a_follower_without_runs_asks_for_nothing(node: Node, qtbot: QtBot) -> None:
    follower, _ = node.follower()
    started = threading.Event()
    follower.started.connect(started.set)
    follower.start()
    qtbot.waitUntil(started.is_set)
    assert node.agent.attached == []


def test_that_a_state_of_the_run_comes_from_its_journal_alone(node: Node, qtbot: QtBot) -> None:
    node.write(1, 1)
    (node.folder / RUN / "journal" / segment_file("supervisor", 0)).write_bytes(
        header_line(RUN, "supervisor") + event_lines([StateChanged("running", 1)])
    )
    follower, screen = node.follower()
    follower.follow(RUN)
    follower.start()
    qtbot.waitUntil(screen.has_caught_up)
    node.agent.on_receive = refuse()
    qtbot.waitUntil(lambda: screen.links[-1].kind == "reconnecting")
    events = [stamped.event for batch in screen.of() for stamped in batch.events]
    assert events == [StateChanged("running", 1)]
