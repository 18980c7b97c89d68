"""How long an app's requests took, from the router's own log lines: each holds the time from the first byte of the
request to the last of the answer, with what it waited for a dyno. HAProxy's counters know no sums: their means are of
the last 1,024 requests, their maxima of all since the last reload.

The journal is read while the agent waits for something else anyway.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterable

from deployer.host import router_line
from deployer.model.latency import Took, Window, of_times

MOST = 10_000  # lines, of all apps: a tenth of a second's work
PATIENCE = 0.1  # seconds that it may take longer than the wait
JOURNAL = ("journalctl", "--quiet", "--no-pager", "--output=short-unix", "--reverse", f"--lines={MOST}")


class Reader:
    """Reads in the background what the router has logged until now."""

    def __init__(self, app: str, window: Window) -> None:
        self._app = app
        self._since = time.time() - window.since
        oldest = self._since - window.before
        words = [*JOURNAL, f"--since=@{int(oldest)}", "_SYSTEMD_UNIT=haproxy.service"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, errors="replace")
        self._took: Took | None = None
        self._thread = threading.Thread(target=self._read, args=(oldest,), daemon=True)
        self._thread.start()

    def end(self) -> Took | None:
        """What was found; None where there were more lines than can be read in such a time."""
        self._thread.join(PATIENCE)
        took = None if self._thread.is_alive() else self._took
        self._process.kill()
        self._process.wait()
        return took

    def _read(self, oldest: float) -> None:
        assert self._process.stdout is not None
        self._took = took(self._app, self._process.stdout, oldest, self._since)


def took(app: str, newest_first: Iterable[str], oldest: float, since: float) -> Took | None:
    """How long requests of an app took that ended after `since`, and before it after `oldest`, or after the oldest line
    that there is; None where the lines do not even reach back to `since`."""
    mark = f" be=be_{app} "
    before: list[int] = []
    during: list[int] = []
    lines, at = 0, since
    for line in newest_first:
        lines, at = lines + 1, float(line[: line.find(" ")])
        if at < oldest:
            break
        if mark in line and (milliseconds := router_line.took(app, line.partition("]: ")[2])) is not None:
            (during if at >= since else before).append(milliseconds)
    if lines == MOST and at > since:
        return None
    return Took(of_times(before), of_times(during))
