"""The node's side of the studio: one-shot commands and the process that watches a run. Standard library, Python 3.8."""
