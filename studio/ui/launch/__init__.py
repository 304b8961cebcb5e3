"""The Launch page: where the run goes, what is sent there, and the checklist of its start."""
