"""What a person reads and writes beside the library: job files, bundles, other tools' configurations, channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from studio.session.alert_channels import AlertChannels, ChannelsError, channels_text, parse_channels
from studio.session.data_verbs import DataVerbs
from studio.session.files import Files
from studio.session.shelf import Shelf
from studio.session.tracker_keys import ASKED, TrackerKeys

if TYPE_CHECKING:
    from studio.exchange.imported import Imported
    from studio.report.comparison import Table


class FileVerbs(DataVerbs):
    """The verbs about a person's own files and addresses. Its `Session` sets ``_files`` and ``_shelf``."""

    alert_channels_loaded = Signal(str, str)  # a line a channel; why they are not kept beyond this process, or ""
    tracker_keys_loaded = Signal(object, str)  # the names of the keys that are kept; why not beyond this process, or ""

    _files: Files
    _shelf: Shelf

    def save_job_file(self, path: Path) -> None:
        """Write the draft as a job file."""
        self._files.write_job(path, self.draft.spec)

    def export_run(self, run_id: str, folder: Path, pack_inputs: bool = False) -> None:
        """Write the bundle that reruns a run from a terminal; a notice follows."""
        self._files.export_run(self._shelf.run(run_id), folder, pack_inputs)

    def export_job(self, folder: Path) -> None:
        """Write the bundle of the draft; a notice follows."""
        self._files.export_job(self.draft.spec, folder)

    def load_alert_channels(self) -> None:
        """Look up where alerts are sent; ``alert_channels_loaded`` follows. The keyring may ask its owner first."""
        channels = AlertChannels()
        self.tasks.run(
            self,
            lambda _: (channels_text(channels.read()), channels.unavailable()),
            lambda found: self.alert_channels_loaded.emit(*found),
            lambda error: self.notice.emit("error", f"The keyring cannot be read: {error}"),
        )

    def keep_alert_channels(self, text: str) -> str:
        """Keep the channels of a text; return what is wrong with it in a sentence, empty where nothing is."""
        try:
            channels = parse_channels(text)
        except ChannelsError as error:
            return str(error)
        self.tasks.run(
            self,
            lambda _: AlertChannels().keep(channels),
            lambda _: None,
            lambda error: self.notice.emit("error", f"The keyring cannot be written: {error}"),
        )
        return ""

    def load_tracker_keys(self) -> None:
        """Look up which trackers' keys are kept; ``tracker_keys_loaded`` follows, without the keys."""
        keys = TrackerKeys()
        self.tasks.run(
            self,
            lambda _: (tuple(name for name in ASKED if keys.is_kept(name)), keys.unavailable()),
            lambda found: self.tracker_keys_loaded.emit(*found),
            lambda error: self.notice.emit("error", f"The keyring cannot be read: {error}"),
        )

    def keep_tracker_keys(self, changes: Mapping[str, str]) -> None:
        """Keep trackers' keys by the names of `tracker_keys.ASKED`; an empty one is forgotten."""
        self.tasks.run(
            self,
            lambda _: TrackerKeys().keep(changes),
            lambda _: None,
            lambda error: self.notice.emit("error", f"The keyring cannot be written: {error}"),
        )

    def save_comparison(
        self, path: Path, run_ids: Sequence[str], drawings: Sequence[bytes], tables: Sequence[Table]
    ) -> None:
        """Write the comparison of runs as one HTML file: SVG drawings, and tables with their headings first.

        What was launched here comes with the hashes of its inputs and its environment.
        """
        from studio.session.provenance import provenance_table

        origin = provenance_table([self._shelf.run(run_id) for run_id in run_ids])
        origins = [("Inputs and environment", origin)] if len(origin) > 1 else []
        self._files.write_comparison(path, run_ids, drawings, [*tables, *origins])

    def read_config(self, path: Path) -> Imported | None:
        """Return a job made of another tool's configuration with an account of every key; None after a notice."""
        return self._files.read_config(path)

    def export_for(self, target: str, folder: Path) -> None:
        """Write the draft as another tool reads it (llamafactory, axolotl, transformers); a notice follows."""
        self._files.export_for(self.draft.spec, target, folder, self.draft.horizon)
