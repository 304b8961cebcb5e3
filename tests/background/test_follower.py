"""What a follower brings of runs: everything once, kept before it is shown, and then live."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import StateChanged
from remote_agent.contract.run_dir import segment_file
from studio.background import follower as follower_module
from studio.store.live import Position
from tests.background.folder_agent import refuse
from tests.background.followed_node import OTHER, RUN, Node
from tests.support.journals import event_lines, header_line, step_segments


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
