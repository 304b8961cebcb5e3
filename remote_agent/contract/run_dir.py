"""The names inside the agent's home and a run directory; the run directory is the protocol."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple, Optional

# below the agent's home
AGENTS = "agent"
ENVIRONMENTS = "envs"
DATA = "data"
MODELS = "models"
RUNS = "runs"
UPLOADS = "uploads"

# below runs/<run id>/
JOB = "job.json"
DS_CONFIG = "ds_config.json"
ENVIRONMENT = "environment.json"
LAUNCH = "launch.json"
JOURNAL = "journal"
INBOX = "inbox"
CONTROL = "control"
LOG = "log"
CHECKPOINTS = "checkpoints"
ROW_LOSSES = "row_losses"
SCRATCH = "scratch"
NOTIFY = "notify"
TRACKERS = "trackers"
SUPERVISOR_LOCK = "supervisor.lock"
SUPERVISOR_LEASE = "supervisor.json"
COMMITTED = "COMMITTED.json"

SUPERVISOR_WRITER = "supervisor"
RANK0_WRITER = "rank0"
NOTIFY_WRITER = "notify"

RUN_MARK = "LUTHIER_RUN"
"""The environment variable that every process of a run carries; its value is ``<run id>/<attempt>``."""

_RUN_ID = re.compile(r"r-\d{6}-\d{6}-[a-z2-7]{6}\Z")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_SEGMENT_FILE = re.compile(r"([A-Za-z0-9._-]{1,64})\.(\d{6})\.jsonl\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


class Segment(NamedTuple):
    """One file of a journal."""

    writer: str
    number: int


def run_id(utc_stamp: str, random_bytes: bytes) -> str:
    """Return ``r-<yymmdd-hhmmss>-<6 of base32>`` from a UTC stamp in that form and at least six random bytes."""
    assert re.fullmatch(r"\d{6}-\d{6}", utc_stamp) and len(random_bytes) >= 6
    return "r-{}-{}".format(utc_stamp, "".join(_BASE32[byte % 32] for byte in random_bytes[:6]))


def is_run_id(text: str) -> bool:
    """Say whether the text is a run id, safe to use as a folder name."""
    return _RUN_ID.match(text) is not None


def is_plain_name(text: str) -> bool:
    """Say whether the text may be a file or writer name: letters, digits, dot, dash, underscore, at most 64."""
    return _PLAIN_NAME.match(text) is not None and text not in (".", "..")


def hub_model_folder(repo: str, commit: str) -> str:
    """Return the folder name, below models/, of a Hub model at a commit; Hub ids hold no two dashes in a row."""
    return "hub-{}-{}".format(repo.replace("/", "--"), commit[:12])


def hub_data_folder(repo: str, commit: str, subset: str, split: str, max_rows: int) -> str:
    """Return the folder name, below data/, of a Hub data set's rows; ``max_rows`` 0 stands for all of them."""
    part = hashlib.sha256("{}\0{}\0{}".format(subset, split, max_rows).encode()).hexdigest()[:8]
    return "hub-{}-{}-{}".format(repo.replace("/", "--"), commit[:12], part)


def is_commit(revision: str) -> bool:
    """Say whether a revision is a full commit, which never moves."""
    return _COMMIT.match(revision) is not None


def segment_file(writer: str, number: int) -> str:
    """Return the file name of a journal segment; segments count from 0."""
    assert is_plain_name(writer), writer
    return "{}.{:06d}.jsonl".format(writer, number)


def parse_segment_file(name: str) -> Optional[Segment]:
    """Return writer and number of a journal file's name, None where it is none."""
    found = _SEGMENT_FILE.match(name)
    return Segment(found.group(1), int(found.group(2))) if found else None


def rank_log(rank: int) -> str:
    """Return the file name of what a rank prints."""
    return "rank{}.log".format(rank)


def epoch_losses_file(epoch: int) -> str:
    """Return the name, below row_losses/, of the rows' losses in an epoch; epochs count from 1."""
    return "epoch-{:06d}.npz".format(epoch)


def losses_epoch(name: str) -> Optional[int]:
    """Return the epoch of a file's name below row_losses/, None for any other name."""
    found = re.match(r"epoch-(\d{6,12})\.npz\Z", name)
    return int(found.group(1)) if found else None


def stacks_file(rank: int) -> str:
    """Return the name, below log/, of the file where a rank writes its stacks when asked."""
    return "stacks-rank{}.txt".format(rank)


def checkpoint_folder(step: int) -> str:
    """Return the folder name of a committed checkpoint."""
    return "step-{}".format(step)


def partial_checkpoint_folder(step: int) -> str:
    """Return the folder name of a checkpoint that is being written."""
    return ".step-{}.partial".format(step)


def checkpoint_step(folder: str) -> Optional[int]:
    """Return the step of a committed checkpoint's folder name, None for any other name."""
    found = re.match(r"step-(\d{1,12})\Z", folder)
    return int(found.group(1)) if found else None
