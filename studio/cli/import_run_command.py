"""Taking runs that lie in folders of this computer into the library, from the terminal."""

from __future__ import annotations

import argparse

from studio.cli.desk import Desk, complain, say, say_json
from studio.cli.exit_codes import BAD_INPUT, OK
from studio.session.run_import import NothingToImportError, import_run


def import_runs(arguments: argparse.Namespace, desk: Desk) -> int:
    """Import each run; what cannot be read is said, and the others are imported all the same."""
    failed = False
    for path in arguments.paths:
        try:
            row = import_run(path, desk.library)
        except NothingToImportError as error:
            complain(error.sentence)
            failed = True
            continue
        if arguments.json:
            say_json({"run_id": row.run_id, "name": row.name, "state": row.state, "step": row.step})
        else:
            say(f"{row.run_id}  {row.name}: {row.step} steps, {row.state}")
    return BAD_INPUT if failed else OK
