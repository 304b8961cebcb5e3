"""What a job's steps do to rows: row by row, or deciding over all of them."""
