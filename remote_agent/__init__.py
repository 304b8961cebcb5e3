"""The agent: everything that runs on the node, shipped there whole."""
