"""A small process that replaces by a regular expression, so that one that never ends can be ended.

It is run by its path with nothing but the standard library. First line in: find, put and seconds; then a list of texts
a line, each answered by a list of texts. A text that takes more processor time than that ends the process.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys

MEMORY_BYTES = 2 << 30


def main() -> int:
    """Answer lines until the input ends."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    find, put, seconds = json.loads(sys.stdin.readline())
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        pattern = re.compile(find)
        pattern.sub(put, "")
    except (re.error, RecursionError, OverflowError, IndexError) as error:
        _answer(str(error))
        return 1
    _answer("")
    for line in sys.stdin:
        answers = []
        for text in json.loads(line):
            # The kernel ends the process when this runs out: the matcher itself looks at no clock.
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answers.append(pattern.sub(put, text))
        signal.setitimer(signal.ITIMER_PROF, 0)
        _answer(answers)
    return 0


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
