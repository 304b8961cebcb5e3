"""Configurations of other tools in the window: what became of each key, before the job is opened."""
