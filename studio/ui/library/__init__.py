"""All runs of the library in one table: searched, sorted, labelled, compared, deleted."""
