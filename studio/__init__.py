"""The desktop half of Luthier: what a person edits, launches and watches."""

__version__ = "0.1.0"
