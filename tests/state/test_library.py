"""Jobs and runs as the sidebar lists them."""

from __future__ import annotations

from remote_agent.contract.job_spec import JobSpec
from studio.state.library import JobEntry, LibraryState, RunEntry


def test_that_jobs_come_last_opened_first_and_runs_newest_first() -> None:
    library = LibraryState()
    library.fill(
        [JobEntry("a", "A", JobSpec(), 1.0), JobEntry("b", "B", JobSpec(), 2.0)],
        [RunEntry("r1", "A", "box", "finished", created_s=1.0), RunEntry("r2", "A", "box", "running", created_s=5.0)],
    )
    assert [job.job_id for job in library.jobs] == ["b", "a"]
    assert [run.run_id for run in library.runs] == ["r2", "r1"]


def test_that_only_what_differs_is_told() -> None:
    library = LibraryState()
    told: list[None] = []
    library.changed.connect(lambda: told.append(None))
    run = RunEntry("r1", "A", "box", "running")
    library.put_run(run)
    library.put_run(run)
    library.put_run(RunEntry("r1", "A", "box", "running", step=3))
    library.remove_run("r1")
    library.remove_run("r1")
    library.remove_job("none")
    assert len(told) == 3
    assert library.run("r1") is None
    assert library.job("none") is None
