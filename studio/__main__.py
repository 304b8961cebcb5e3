"""Where `luthier` and `python -m studio` begin: a command for the terminal, or else the window."""

from __future__ import annotations

import sys


def main() -> int:
    """Run a command where one is given, else the window; return the exit code."""
    if len(sys.argv) > 1:
        from studio.cli.main import main as run_command

        return run_command(sys.argv[1:])
    try:
        from studio.app import main as open_window
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "PySide6":
            raise
        sys.stderr.write("The window needs PySide6; install it with: pip install luthier-studio\n")
        return 2
    return open_window(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
