"""What a person should know about data before a run: findings, as a linter gives them."""

from __future__ import annotations

from remote_agent.dataset.findings.descriptions import described as described
from remote_agent.dataset.findings.findings_pass import FindingsPass as FindingsPass
from remote_agent.dataset.findings.found import Found as Found
from remote_agent.dataset.findings.kinds import KINDS as KINDS
