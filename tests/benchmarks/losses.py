"""Part of `make soak`: all that was answered is stored, with the warehouse away and the server killed."""

import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from components.adapters.stores import Stores
from components.shared.config import load
from components.shared.interactions import INTERACTIONS
from tests.benchmarks.load import Outcome, opened
from tests.conftest import TWIN, environment, free_port, until
from tests.servers import healthy

PATH = "/v1/models/credit:predict"
BODY = {"instances": [{"applicant_id": "A0001"}]}

#: Requests a second: far below the capacity, for here it is not about speed.
RATE = 100.0

#: Seconds for everything that waits to be stored after the load.
PATIENCE = 90.0


class Server:
    """A server that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [TWIN, "serve", "--twin", "credit", "--port", str(self._port)],
            cwd=self._folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        """Until it is ready."""
        until(lambda: healthy(self.url), 180, "the server's readiness")

    def killed(self) -> None:
        """Kill it without a word, and start it again."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=30)
        self._process = self._started()

    def stop(self) -> None:
        """Let it end in order."""
        self._process.terminate()
        self._process.wait(timeout=60)


def lost(folder: Path, seconds: float) -> list[str]:
    """Print what was answered and stored; what is not as it should be comes back.

    Nobody can write to the warehouse in the middle third; the server is killed after five sixths.
    """
    warehouse = Stores(load(folder / "twinstack.yaml")).warehouse
    before = warehouse.count(INTERACTIONS, twin="credit")
    server = Server(folder)
    try:
        server.wait()
        trouble = threading.Thread(target=_trouble, args=(folder, server, seconds))
        trouble.start()
        answered = opened(server.url, PATH, BODY, rate=RATE, seconds=seconds)
        trouble.join()
        server.wait()
        missing = _missing(folder, answered)
    finally:
        server.stop()
    stored = Counter(one["body"]["request_id"] for one in warehouse.scan(INTERACTIONS, twin="credit"))
    twice = [key for key in answered.ids if stored[key] > 1]
    print(
        f"credit: warehouse away for {seconds / 3:.0f} s, one kill -9: {len(answered.ids)} answered, "
        f"{sum(stored.values()) - before} stored, {len(missing)} lost, {len(twice)} twice"
    )
    wrong = [f"credit: {len(missing)} answered interactions are not in the warehouse"] if missing else []
    wrong += [f"credit: {len(twice)} interactions are in the warehouse twice"] if twice else []
    return wrong if answered.ids else ["credit: nothing was answered"]


def _trouble(folder: Path, server: Server, seconds: float) -> None:
    time.sleep(seconds / 3)
    with closing(sqlite3.connect(folder / ".twinstack" / "warehouse.db", isolation_level=None)) as taken:
        taken.execute("BEGIN IMMEDIATE")
        time.sleep(seconds / 3)
        taken.execute("ROLLBACK")
    time.sleep(seconds / 6)
    server.killed()


def _missing(folder: Path, answered: Outcome) -> list[str]:
    """Ids of answers that do not come to the warehouse in time."""
    warehouse = Stores(load(folder / "twinstack.yaml")).warehouse
    wanted = set(answered.ids)
    end = time.monotonic() + PATIENCE
    while True:
        stored = {one["body"]["request_id"] for one in warehouse.scan(INTERACTIONS, twin="credit")}
        if wanted <= stored or time.monotonic() > end:
            return sorted(wanted - stored)
        time.sleep(1)
