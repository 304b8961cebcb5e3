"""Which machine looks at which input; a second real agent with a home of its own stands for the remote node."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.job_spec import JobSpec, with_value
from studio.remote.agent import Agent
from studio.remote.errors import AgentFailed
from studio.remote.transport import LocalTransport
from studio.session.data_paths import InputError, Place
from studio.session.inputs import Inputs, model_path_on_node
from tests.support.hub_server import COMMIT, HubModel, hub_for_test
from tests.support.model_folder import write_model
from tests.support.tiny import tiny_rows


@dataclasses.dataclass
class _Machines:
    """This computer, a node, and the cache of tokenizers."""

    local: Place
    node: Place
    cache: Path

    def inputs(self, knows_node: bool = True) -> Inputs:
        return Inputs(self.local, self.node if knows_node else None, self.cache)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[_Machines]:
    here, there = LocalTransport(), LocalTransport()
    homes = [str(tmp_path / name) for name in ("here", "there")]
    yield _Machines(
        Place(Agent(here, homes[0]), sys.executable, homes[0], True),
        Place(Agent(there, homes[1]), sys.executable, homes[1], False),
        tmp_path / "cache",
    )
    here.close()
    there.close()


def _spec(model_source: str, model: Path, data_source: str, data: Path) -> JobSpec:
    spec = JobSpec()
    for path, value in (
        ("model.source", model_source), ("model.id", str(model)), ("data.source", data_source),
        ("data.path", str(data)), ("data.max_length", 128),
    ):  # fmt: skip
        spec = with_value(spec, path, value)
    return spec


@pytest.mark.parametrize("model_source", ["desktop", "node"])
@pytest.mark.parametrize("data_source", ["desktop", "node"])
def test_that_wherever_model_and_data_lie_they_come_to_the_same_tokens(
    machines: _Machines, model_folder: Path, rows_file: Path, model_source: str, data_source: str
) -> None:
    spec = _spec(model_source, model_folder, data_source, rows_file)
    inputs = machines.inputs()
    model = inputs.inspect_model(spec.model)
    report = inputs.inspect_data(spec, model)
    stream = inputs.data_stream(spec, model)
    row = stream.answer("row", {"index": 1})
    stream.finish()
    assert (model.tokenizer_folder / "tokenizer.json").read_bytes() == (model_folder / "tokenizer.json").read_bytes()
    assert not (model.tokenizer_folder / "model.safetensors").exists()
    assert report.rows == 40
    assert report.total.total == 3106
    assert (row["index"], len(row["tokens"]) > 10) == (1, True)


def test_that_sources_of_two_places_are_looked_at_together_on_the_node(
    machines: _Machines, model_folder: Path, rows_file: Path, tmp_path: Path
) -> None:
    there = tiny_rows(tmp_path / "on-node", 25)
    spec = _spec("desktop", model_folder, "desktop", rows_file)
    spec = with_value(spec, "data.more", (SourceSpec(source="node", path=str(there)),))
    inputs = machines.inputs()
    report = inputs.inspect_data(spec, inputs.inspect_model(spec.model))
    assert [(Path(source.path).name, source.rows, source.first_row) for source in report.sources] == [
        ("rows.json", 40, 0), ("rows.json", 25, 40),
    ]  # fmt: skip
    assert Path(report.sources[0].path).is_relative_to(machines.node.home)
    assert report.sources[1].path == str(there)


def test_that_models_with_one_tokenizer_and_two_templates_are_kept_apart(machines: _Machines, tmp_path: Path) -> None:
    inputs = machines.inputs()
    one = write_model(tmp_path / "one")
    two = write_model(tmp_path / "two", template="{% for m in messages %}{{ m['content'] }}\n{% endfor %}")
    found = [inputs.inspect_model(with_value(JobSpec(), "model.id", str(folder)).model) for folder in (one, two)]
    assert found[0].report.tokenizer_hash == found[1].report.tokenizer_hash
    assert found[0].tokenizer_folder != found[1].tokenizer_folder
    again = inputs.inspect_model(with_value(JobSpec(), "model.id", str(one)).model)
    assert again.tokenizer_folder == found[0].tokenizer_folder
    assert sorted(machines.cache.iterdir()) == sorted(one.tokenizer_folder for one in found)


def test_that_an_input_on_a_node_that_was_not_reached_is_told(machines: _Machines, model_folder: Path) -> None:
    spec = _spec("node", model_folder, "desktop", model_folder)
    with pytest.raises(InputError, match="not been reached"):
        machines.inputs(knows_node=False).inspect_model(spec.model)


def test_that_a_hub_model_is_fetched_by_the_node_pinned_and_looked_at_like_any_other(
    machines: _Machines, model_folder: Path, rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {path.name: path.read_bytes() for path in model_folder.iterdir()}
    with hub_for_test({"org/small": HubModel(files, access="gated")}, tmp_path / "hf", monkeypatch):
        spec = _spec("hub", Path("org/small"), "node", rows_file)
        inputs = machines.inputs()
        with pytest.raises(AgentFailed, match="accept its licence"):
            inputs.inspect_model(spec.model)
        monkeypatch.setenv("HF_TOKEN", "hf_good")
        model = inputs.inspect_model(spec.model)
    assert model.revision == COMMIT
    assert Path(model.report.path).is_relative_to(machines.node.home)
    assert (model.tokenizer_folder / "tokenizer.json").read_bytes() == files["tokenizer.json"]
    with pytest.raises(InputError, match="not fetched from the Hub yet"):
        model_path_on_node(spec.model, machines.node.home)
    # from here on the Hub is not needed
    pinned = with_value(spec, "model.revision", COMMIT)
    assert model_path_on_node(pinned.model, machines.node.home) == model.report.path
    assert inputs.inspect_model(pinned.model).report == model.report
    assert inputs.inspect_data(pinned, model).total.total == 3106


@pytest.mark.parametrize("name", ["r-260101-000000-abcdef", "step-3", "r-260101-000000-abcdef/../3", "x/step-3"])
def test_that_a_checkpoint_that_is_none_is_told(name: str) -> None:
    spec = with_value(with_value(JobSpec(), "model.source", "run"), "model.id", name)
    with pytest.raises(InputError, match="RUN_ID/step"):
        model_path_on_node(spec.model, "/home/me/.luthier")
