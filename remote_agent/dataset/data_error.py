"""The errors that reading, rendering and preparing data raise; each is a sentence for the person who chose the data."""

from __future__ import annotations


class DataError(ValueError):
    """The data or model folder cannot be used as it is; the sentence says where, why and what to do."""


class NotThereError(DataError):
    """A file or folder that was named does not exist."""


class CancelledError(Exception):
    """The person or the parent process asked to stop; nothing half-done is left behind."""
