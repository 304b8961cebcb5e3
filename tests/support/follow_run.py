"""A desktop of its own process that follows one run over SSH: to be stopped, killed and moved by the tests.

Its one argument is JSON: host, port, user, key, known_hosts, ssh_config, home, run, library, dead_after_s. Prints a
JSON line for every note of a broken link and, at the end, ``{"state": ...}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from studio.remote.agent import Agent, Patience
from studio.remote.ssh import SshTransport
from studio.remote.transport import NodeAddress
from studio.session import following
from studio.session.following import Following
from studio.store.library import Library
from studio.store.live import RunBatch
from studio.store.rows import RunRow


def main() -> None:
    told = json.loads(sys.argv[1])
    following.FIRST_DELAY_S = 0.2
    address = NodeAddress("node", "ssh", told["host"], told["port"], told["user"], told["key"], home=told["home"])
    transport = SshTransport(address, Path(told["known_hosts"]), Path(told["ssh_config"]))
    patience = Patience(ping_every_s=told["dead_after_s"] / 4, dead_after_s=told["dead_after_s"])
    library = Library(Path(told["library"]))
    follower = Following(
        RunRow(told["run"], "try", "node", "{}", "running"), library, Agent(transport, told["home"], None, patience)
    )

    def show(row: RunRow, batch: RunBatch) -> None:
        for note in batch.notes:
            print(json.dumps({"note": note}), flush=True)
        if len(batch.steps):
            print(json.dumps({"step": row.step}), flush=True)

    follower.follow(show)
    print(json.dumps({"state": follower.row.state}), flush=True)
    transport.close()
    library.close()


if __name__ == "__main__":
    main()
