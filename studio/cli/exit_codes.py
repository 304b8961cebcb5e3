"""What the command line's exit codes mean."""

OK = 0
RUN_FAILED = 1
BAD_INPUT = 2
UNREACHABLE = 3
NEEDS_PERSON = 4
INTERRUPTED = 130
