"""A process for each tracker of a run: reads the journal, feeds the tracker, and never touches the ranks."""
