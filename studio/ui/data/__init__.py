"""The Data page: where the rows come from, how they are read, and what they come to in tokens."""
