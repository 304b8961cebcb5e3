"""What the library keeps of a run that was launched here, and of a job that is edited. No Qt."""

from __future__ import annotations

import json

from remote_agent.contract.events import QUEUED
from remote_agent.contract.spec_json import spec_to_json
from studio.session.launching import Launched
from studio.store.rows import RunRow


def launched_row(launched: Launched) -> RunRow:
    """Return the row of a run that is about to be started; its journal will say the rest."""
    return RunRow(
        run_id=launched.run_id,
        name=launched.spec.name,
        node=launched.node,
        job=spec_to_json(launched.spec),
        state=QUEUED,
        total_steps=launched.total_steps,
        created_s=launched.created_s,
        bundle=json.dumps(
            {
                **launched.bundle,
                "environment": dict(launched.environment),
                "memory": dict(launched.memory),
            }
        ),
    )
