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
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import free_port, until

#: PostgreSQL refuses to run as root; a test that does runs it as this user.
NOBODY = "nobody"


@contextlib.contextmanager
def running(command: list[str], log: Path, ready: Callable[[], bool], **words: object) -> Iterator[None]:
    """A server process, from the moment it is ready until the block ends."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, **words)  # type: ignore[call-overload]
    try:

        def there() -> bool:
            if process.poll() is not None:
                pytest.fail(f"{command[0]} stopped: {log.read_text()[-2000:]}")
            return ready()

        until(there, 60, f"the start of {command[0]}")
        yield
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL: end now, cleanly
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
    words: dict[str, object] = {}
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
    subprocess.run(init, check=True, capture_output=True, **words)  # type: ignore[call-overload]
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

    with running(command, folder.parent / "postgres.log", ready, **words):
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
    with running(command, folder / "log.txt", lambda: accepts(port)):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def mlflow(folder: Path) -> Iterator[str]:
    """A real MLflow tracking server on SQLite."""
    folder.mkdir(parents=True)
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1"]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--serve-artifacts"]

    def ready() -> bool:
        import httpx

        try:
            return httpx.get(f"http://127.0.0.1:{port}/health", timeout=2).is_success
        except httpx.HTTPError:
            return False

    with running(command, folder / "log.txt", ready):
        yield f"http://127.0.0.1:{port}"
