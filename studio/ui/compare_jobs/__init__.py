"""Two jobs of the library side by side: only what differs."""
