"""Tests of remote_agent.dataset."""
