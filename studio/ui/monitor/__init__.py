"""The pages of a run: Monitor, Samples, Log and Config."""
