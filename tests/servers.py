"""Real servers on loopback for tests, each in a folder of its own and gone at the end.

Where a program is not installed the test is skipped with its name: `apt-get install postgresql redis-server`.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TWIN, environment, free_port, until

#: A log that nobody reads.
QUIET = Path(os.devnull)

#: PostgreSQL refuses to run as root; a test that does runs it as this user.
NOBODY = "nobody"


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    ready: Callable[[], bool],
    *,
    seconds: float = 180,
    end: signal.Signals = signal.SIGTERM,
    **words: Any,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server process, from the moment it is ready until the block ends.

    Args:
        command: What to start.
        log: File that receives what it says.
        ready: Whether it can be asked.
        seconds: Most time until then.
        end: Signal that ends it in order.
        words: What else `Popen` is to know.
    """
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, **words)
    try:

        def there() -> bool:
            if process.poll() is not None:
                pytest.fail(f"{command[0]} stopped: {log.read_text()[-2000:]}")
            return ready()

        until(there, seconds, f"the start of {command[0]}")
        yield process
    finally:
        process.send_signal(end)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def twins(folder: Path, log: Path, *words: str, **env: str) -> Iterator[tuple[str, int]]:
    """`twin serve` in a project, with more words and environment; address and process id."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [TWIN, "serve", "--port", str(port), *words]
    with running(command, log, lambda: healthy(url), cwd=folder, env=environment(**env)) as process:
        yield url, process.pid


def healthy(url: str) -> bool:
    """Whether a KServe model server is ready, and all of its models."""
    return answers(f"{url}/v2/health/ready", {"ready": True})


def answers(address: str, says: object = None) -> bool:
    """Whether a GET of an address answers 200, and this JSON where one is named."""
    import httpx

    try:
        found = httpx.get(address, timeout=2, trust_env=False)
    except httpx.HTTPError:
        return False
    return found.status_code == httpx.codes.OK and (says is None or found.json() == says)


def accepts(port: int) -> bool:
    import socket

    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def postgres_program() -> Path | None:
    """The newest installed `postgres`; Debian keeps it off the path."""
    if found := shutil.which("postgres"):
        return Path(found)
    return max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL server; its URI."""
    program = postgres_program()
    if not program:
        pytest.skip("PostgreSQL is not installed")
    folder.mkdir(parents=True)
    words: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam(NOBODY)
        words = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
        os.chown(folder, user.pw_uid, user.pw_gid)
        for above in folder.parents:
            if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o001)  # let it pass through, not look in
    data = folder / "data"
    init = [str(program.parent / "initdb"), "-D", str(data), "-U", "test", "-A", "trust", "-E", "UTF8", "-N"]
    init += ["--locale=C.UTF-8"]
    subprocess.run(init, check=True, capture_output=True, **words)
    port = free_port()
    options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
    command = [str(program), "-D", str(data), "-p", str(port)]
    command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    uri = f"postgresql://test@127.0.0.1:{port}/postgres"

    def ready() -> bool:
        import psycopg

        try:
            psycopg.connect(uri, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    # By SIGINT it ends at once and cleanly; by SIGTERM it waits for its clients.
    with running(command, folder.parent / "postgres.log", ready, end=signal.SIGINT, **words):
        yield uri


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis server; its URI."""
    program = shutil.which("redis-server")
    if not program:
        pytest.skip("Redis is not installed")
    folder.mkdir(parents=True)
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, folder / "log.txt", lambda: accepts(port)):
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def object_storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """moto's server, a stand-in for S3 over HTTP; the URI of a folder in a new bucket."""
    from moto.server import ThreadedMotoServer

    from components.adapters import objects

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    objects.client.cache_clear()
    try:
        objects.client().create_bucket(Bucket="bucket")
        yield "s3://bucket/some/prefix"
    finally:
        objects.client.cache_clear()
        server.stop()


@contextlib.contextmanager
def milvus(folder: Path) -> Iterator[str]:
    """Milvus Lite's own gRPC server: the protocol of a Milvus server, on Milvus Lite's engine."""
    folder.mkdir(parents=True)
    port = free_port()
    program = str(Path(sys.executable).parent / "milvus-lite")
    command = [program, "server", "--data-dir", str(folder / "data"), "--host", "127.0.0.1"]
    command += ["--port", str(port)]
    with running(command, folder / "log.txt", lambda: accepts(port), end=signal.SIGINT):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def mlflow(folder: Path) -> Iterator[str]:
    """A real MLflow tracking server on SQLite."""
    folder.mkdir(parents=True)
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1"]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--serve-artifacts"]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "log.txt", lambda: answers(f"{url}/health")):
        yield url
