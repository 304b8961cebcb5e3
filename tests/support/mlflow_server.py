"""A tracking server for tests: the few calls of MLflow's REST interface that a run needs, and what came with them."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class MlflowServer:
    """Keeps one experiment's runs. ``refusals`` answers so many calls with 503; ``headers`` are what clients sent."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.authorizations: set[str] = set()
        self.refusals = 0
        self.calls = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, asked: dict[str, Any]) -> None:
                server.calls += 1
                server.authorizations.add(self.headers.get("Authorization", ""))
                if server.refusals:
                    server.refusals -= 1
                    self.send_error(503)
                    return
                body = json.dumps(server.answer(urlsplit(self.path).path.partition("/mlflow/")[2], asked)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, call: str, asked: dict[str, Any]) -> dict[str, Any]:
        if call == "experiments/get-by-name":
            return {"experiment": {"experiment_id": "1", "name": asked["experiment_name"], "lifecycle_stage": "active"}}
        if call == "runs/create":
            run = {"name": asked.get("run_name"), "tags": asked["tags"], "metrics": [], "status": "RUNNING"}
            self.runs[f"{len(self.runs):032x}"] = run
        elif call == "runs/log-batch":
            self.runs[asked["run_id"]]["metrics"] += asked.get("metrics", [])
        elif call == "runs/update":
            self.runs[asked["run_id"]]["status"] = asked["status"]
            return {"run_info": self._about(asked["run_id"])["info"]}
        elif call == "runs/search":
            return {"runs": [self._about(run_id) for run_id in self.runs]}
        elif call == "runs/get":
            return {"run": self._about(asked["run_id"])}
        return {"run": self._about(next(reversed(self.runs)))}

    def _about(self, run_id: str) -> dict[str, Any]:
        run = self.runs[run_id]
        latest = {metric["key"]: metric for metric in run["metrics"]}
        info = {
            "run_id": run_id, "run_uuid": run_id, "experiment_id": "1", "status": run["status"], "start_time": 1,
            "artifact_uri": "file:///nowhere", "lifecycle_stage": "active", "run_name": run["name"],
        }  # fmt: skip
        return {"info": info, "data": {"metrics": list(latest.values()), "tags": run["tags"]}}

    def steps(self, name: str) -> list[int]:
        """Return the steps of a metric over all runs, as they came."""
        return [
            int(metric.get("step", 0))
            for run in self.runs.values()
            for metric in run["metrics"]
            if metric["key"] == name
        ]
