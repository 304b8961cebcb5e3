"""Keys of trackers: in the keyring or in memory, handed out for what is online alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.spec_json import spec_to_json
from studio import places
from studio.cli.main import main
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.session.tracker_keys import ASKED, TrackerKeys, run_secrets
from studio.store.library import Library
from studio.store.rows import RunRow
from tests.support.journals import RUN_ID
from tests.support.run_folder import RunFolder


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ASKED:
        monkeypatch.delenv(name, raising=False)
    yield
    TrackerKeys().keep(dict.fromkeys(ASKED, ""))


def online(**modes: str) -> JobSpec:
    spec = JobSpec()
    for kind, mode in modes.items():
        spec = with_value(spec, f"trackers.{kind}", mode)
    return spec


def test_that_a_run_is_handed_the_keys_of_what_is_online_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    TrackerKeys().keep({"WANDB_API_KEY": "kept-key", "MLFLOW_TRACKING_TOKEN": "other-key"})
    monkeypatch.setenv("HF_TOKEN", "of-the-environment")
    assert run_secrets(JobSpec()) == {}
    assert run_secrets(online(wandb="offline", mlflow="offline", trackio="offline")) == {}
    assert run_secrets(online(wandb="online")) == {"WANDB_API_KEY": "kept-key"}
    assert run_secrets(online(mlflow="online", trackio="online")) == {
        "MLFLOW_TRACKING_TOKEN": "other-key", "HF_TOKEN": "of-the-environment",
    }  # fmt: skip


def test_that_a_kept_key_goes_before_the_environments_and_is_forgotten_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "of-the-environment")
    TrackerKeys().keep({"WANDB_API_KEY": "kept"})
    assert TrackerKeys().of_kind("wandb") == {"WANDB_API_KEY": "kept"}
    TrackerKeys().keep({"WANDB_API_KEY": ""})
    assert not TrackerKeys().is_kept("WANDB_API_KEY")
    assert TrackerKeys().of_kind("wandb") == {"WANDB_API_KEY": "of-the-environment"}
    assert TrackerKeys().of_kind("tensorboard") == {}


def test_that_the_session_keeps_keys_and_tells_their_names_alone(session: Session, qtbot: QtBot) -> None:
    session.keep_tracker_keys({"WANDB_API_KEY": "kept-key"})
    qtbot.waitUntil(lambda: TrackerKeys().is_kept("WANDB_API_KEY"))
    with qtbot.waitSignal(session.tracker_keys_loaded) as told:
        session.load_tracker_keys()
    assert told.args[0] == ("WANDB_API_KEY",)
    assert "kept-key" not in str(told.args)


def test_that_the_window_feeds_a_tracker_with_a_run_that_its_library_has(
    make_session: Callable[[], Session], qtbot: QtBot, tmp_path: Path
) -> None:
    RunFolder(Path(places.agent_home())).end()
    library = Library(places.library_path())
    library.save_run(RunRow(RUN_ID, "tiny", LOCAL_NODE, spec_to_json(JobSpec()), "queued"))
    library.close()
    assert main(["attach", RUN_ID]) == 0
    session = make_session()
    assert session.track_run(RUN_ID, "mlflow", True, "", tmp_path) == "MLflow needs the address of its server."
    notices: list[str] = []
    session.notice.connect(lambda severity, text: notices.append(text))
    assert session.track_run(RUN_ID, "tensorboard", False, "", tmp_path) == ""
    qtbot.waitUntil(lambda: len(notices) == 2, timeout=30_000)
    assert notices[0] == f"TensorBoard is being told of {RUN_ID}."
    assert f"tensorboard --logdir {tmp_path}" in notices[1]
    [file] = (tmp_path / RUN_ID).glob("events.*")
    assert max(event.step for event in EventFileLoader(str(file)).Load()) == 5
