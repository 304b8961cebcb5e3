"""Blocking talk with a node, here or over SSH: deploy the agent, call its commands, follow its runs. No Qt."""
