"""The agent's command line: the node's side of every talk. Runs as a module and as a file, under `python -I -B`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # under -I a file's own folder is not on the path; the package lies one level above it
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main() -> int:
    """Run the command that the arguments name and return the exit code."""
    from remote_agent.supervisor.command_line import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
