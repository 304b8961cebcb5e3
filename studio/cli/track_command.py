"""Feeding a tracker with a run of the library, ended or going on."""

from __future__ import annotations

import argparse
from pathlib import Path

from remote_agent.contract.events import ENDED
from remote_agent.contract.tracker_spec import TRACKER_NAMES
from studio.cli.desk import Desk, complain, say
from studio.cli.exit_codes import OK, RUN_FAILED
from studio.cli.run_commands import known_run
from studio.remote.errors import RemoteError
from studio.session.following import Following
from studio.session.tracker_feed import TrackerFeed, TrackerFeedError, asked_tracker, how_to_look
from studio.session.tracker_keys import TrackerKeys
from studio.store.live import RunBatch
from studio.store.rows import RunRow


def track(arguments: argparse.Namespace, desk: Desk) -> int:
    """Feed a tracker; a run that goes on is followed to its end."""
    row = known_run(arguments.run, arguments.node, desk)
    tracker = asked_tracker(row, arguments.to, arguments.online, arguments.server, arguments.project, arguments.name)
    folder: Path = arguments.dir or Path("tracking") / tracker.kind
    secrets = TrackerKeys().of_kind(tracker.kind) if tracker.online else {}
    feed = TrackerFeed(desk.library, row, tracker, folder, secrets, arguments.python)
    try:
        feed.push()
        if row.state not in ENDED or not _is_kept(desk, row):
            _follow(feed, row, desk)
        feed.finish()
    except TrackerFeedError as error:
        complain(str(error))
        return RUN_FAILED
    except BaseException:
        feed.abandon()
        raise
    if tracker.online:
        say(f"{TRACKER_NAMES[tracker.kind]} has {row.run_id}.")
    else:
        say(f"{row.run_id} lies in {feed.folder}. {how_to_look(tracker.kind, feed.folder)}")
    return OK


def _is_kept(desk: Desk, row: RunRow) -> bool:
    return desk.library.journal_bytes(row.run_id) > 0


def _follow(feed: TrackerFeed, row: RunRow, desk: Desk) -> None:
    """Follow a run and tell what comes. Raises TrackerFeedError, and what `Following` raises."""
    following = Following(row, desk.library, desk.reach.agent(desk.node(row.node).address))

    def tell(_: RunRow, batch: RunBatch) -> None:
        for note in batch.notes:
            complain(note)
        feed.push()

    try:
        following.follow(tell)
    except RemoteError as error:
        complain(f"{error.sentence} What the library has of {row.run_id} is fed.")
    finally:
        desk.library.save_run(following.measured_row())
