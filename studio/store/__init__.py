"""What the studio keeps: a library in SQLite and the journals of runs in it; no Qt."""
