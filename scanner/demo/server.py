"""The emulator's process: fill the sample organization, serve it on a free loopback port, end with whoever started it.

The only module of the demo, with `fill` and `missing_calls`, that imports moto and flask. It says on stdout, in one
line of JSON, where it listens, and lives for as long as its stdin stays open: the kernel closes that pipe however the
parent ends.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from threading import Lock, Thread
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from scanner.demo import fill, missing_calls

_HOST = "127.0.0.1"
_WHOLE_LISTS = (
    "get_group",
    "list_access_keys",
    "list_group_policies",
    "list_signing_certificates",
    "list_ssh_public_keys",
)


class _QuietHandler(MotoRequestHandler):
    disable_nagle_algorithm = True  # head and body go out in two writes; Nagle holds the second back for 40 ms

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 — werkzeug's own name
        """Nothing: the terminal belongs to the scan."""


class _OneAtATime:
    """Many connections, kept alive, but one request at a time: moto's state knows no locks."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._lock:
            response: Iterable[bytes] = self._app(environ, start_response)
            return response


def _amend(method: str, add: Callable[[], Mapping[str, object]]) -> None:
    """Add to the emulator's answers what it leaves out, or has wrong."""
    bare = getattr(IamResponse, method)

    def amended(self: IamResponse) -> ActionResult:
        answer: Any = bare(self)
        return ActionResult({**answer.result, **add()})

    setattr(IamResponse, method, amended)


def _answer_as_aws_does() -> None:
    # It says of every report that it was made in 2015, which a reader would take for a fault.
    _amend("get_credential_report", lambda: {"GeneratedTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})
    # Without IsTruncated, a list is taken for one that may go on.
    for method in _WHOLE_LISTS:
        _amend(method, lambda: {"IsTruncated": False})


def main() -> None:
    """Serve until stdin ends; the first argument is the demo's day."""
    _answer_as_aws_does()
    missing_calls.teach()
    today = date.fromisoformat(sys.argv[1])
    fill.fill(today)
    missing_calls.fill_service_keys(today)
    server = make_server(_HOST, 0, _OneAtATime(), threaded=True, request_handler=_QuietHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    ready = {"url": f"http://{_HOST}:{server.server_port}", "credentials": fill.credentials()}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # not sys.exit: a request in progress must not hold the process up
