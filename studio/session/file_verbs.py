"""What a person reads and writes beside the library: job files, bundles, other tools' configurations, channels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio.session.alert_channels import AlertChannels, ChannelsError, channels_text, parse_channels
from studio.session.data_verbs import DataVerbs
from studio.session.files import Files
from studio.session.shelf import Shelf

if TYPE_CHECKING:
    from studio.exchange.imported import Imported
    from studio.report.comparison import Table


class FileVerbs(DataVerbs):
    """The verbs about a person's own files and addresses. Its `Session` sets ``_files`` and ``_shelf``."""

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

    def alert_channels_text(self) -> str:
        """Return where alerts are sent, a line a channel."""
        return channels_text(AlertChannels().read())

    def alert_channels_note(self) -> str:
        """Return why the channels are not kept beyond this process, as a sentence; empty where they are."""
        return AlertChannels().unavailable()

    def keep_alert_channels(self, text: str) -> str:
        """Keep the channels of a text; return what is wrong with it in a sentence, empty where nothing is."""
        try:
            AlertChannels().keep(parse_channels(text))
        except ChannelsError as error:
            return str(error)
        return ""

    def save_comparison(
        self, path: Path, run_ids: Sequence[str], drawings: Sequence[bytes], tables: Sequence[Table]
    ) -> None:
        """Write the comparison of runs as one HTML file: SVG drawings, and tables with their headings first."""
        self._files.write_comparison(path, run_ids, drawings, tables)

    def read_config(self, path: Path) -> Imported | None:
        """Return a job made of another tool's configuration with an account of every key; None after a notice."""
        return self._files.read_config(path)

    def export_for(self, target: str, folder: Path) -> None:
        """Write the draft as another tool reads it (llamafactory, axolotl, transformers); a notice follows."""
        self._files.export_for(self.draft.spec, target, folder, self.draft.horizon)
