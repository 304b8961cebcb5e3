"""A desktop of its own process that follows one run through whatever happens; what it keeps is all that it knows.

Started with one JSON object as its argument; it leaves once the file ``over`` exists and the run was read to its end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).absolute().parents[2]))

from remote_agent.contract.events import StateChanged
from studio.remote.agent import Agent, Patience
from studio.remote.ssh import SshTransport
from studio.remote.transport import NodeAddress
from studio.session import following
from studio.session.following import Following
from studio.store.journal_decoder import decode_lines
from studio.store.library import Library
from studio.store.live import RunBatch
from studio.store.rows import RunRow


def kept_state(library: Library, run_id: str) -> str:
    """Return the run's state as the kept journal tells it."""
    batch = RunBatch()
    for block in library.blocks(run_id):
        if block.writer == "supervisor":
            decode_lines(block.body, batch)
    states = [stamped.event.state for stamped in batch.events if isinstance(stamped.event, StateChanged)]
    return states[-1] if states else "running"


def main(told: dict[str, str]) -> None:
    """Follow, end after end, until it is over."""
    following.FIRST_DELAY_S, following.LONGEST_DELAY_S = 0.05, 0.5
    address = NodeAddress("node", "ssh", told["host"], int(told["port"]), told["user"], told["identity_file"])
    transport = SshTransport(address, Path(told["known_hosts"]), Path(told["ssh_config"]))
    library = Library(Path(told["library"]))
    agent = Agent(transport, told["home"], None, Patience(ping_every_s=0.3, dead_after_s=1.5))
    row = RunRow(told["run_id"], "storm", "node", "{}", kept_state(library, told["run_id"]))
    follows = Following(row, library, agent)
    while True:
        over = Path(told["over"]).exists()
        follows.follow(lambda row, batch: None)
        if over:
            break
        time.sleep(0.1)
    transport.close()
    library.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
