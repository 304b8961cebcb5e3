"""Configurations of other tools: read into a job, and written from one, each with a list of what did not fit."""
