"""Folders in S3-compatible object storage: put, fetch once, delete."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from components.shared import digest
from components.shared.errors import MissingError, TwinError
from components.shared.files import locked

#: Objects that travel side by side.
PARALLEL = 8

#: Codes of a conditional put that somebody else was first at.
TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")


class ObjectStorageError(TwinError):
    """Object storage cannot be reached, or refuses."""

    exit_code = 11
    http_status = 503
    kind = "object_storage_error"


@cache
def client() -> Any:
    """The S3 client; address, region and keys come from the environment, as every AWS tool reads them."""
    import boto3
    from botocore.config import Config

    settings = Config(
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=PARALLEL,
        # Servers other than AWS have no bucket in the host name.
        s3={"addressing_style": "path" if os.environ.get("AWS_ENDPOINT_URL") else "auto"},
    )
    return boto3.client("s3", region_name=os.environ.get("AWS_REGION", "us-east-1"), config=settings)


def place_of(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` URI."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.strip("/")


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """What boto3 raises, as an error that a person can act on."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (Boto3Error, BotoCoreError, ClientError) as error:
        raise ObjectStorageError(
            f"object storage refuses: {error}",
            where=uri,
            remedy="check the bucket, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ) from error


def read(uri: str) -> bytes | None:
    """An object, or None."""
    bucket, key = place_of(uri)
    with explained(uri):
        try:
            found: bytes = client().get_object(Bucket=bucket, Key=key)["Body"].read()
        except client().exceptions.NoSuchKey:
            return None
        return found


def write(uri: str, content: bytes, *, once: bool = False) -> bool:
    """Write an object.

    Args:
        uri: Where.
        content: What.
        once: Leave an object that is there as it is.

    Returns:
        Whether it was written.
    """
    from botocore.exceptions import ClientError

    bucket, key = place_of(uri)
    words = {"IfNoneMatch": "*"} if once else {}
    with explained(uri):
        try:
            client().put_object(Bucket=bucket, Key=key, Body=content, **words)
        except ClientError as error:
            if once and error.response["Error"]["Code"] in TAKEN:
                return False
            raise
    return True


def keys(uri: str) -> list[str]:
    """Keys below a folder, relative to it, sorted."""
    bucket, prefix = place_of(uri)
    with explained(uri):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        found = [one["Key"] for page in pages for one in page.get("Contents", ())]
    return sorted(key.removeprefix(f"{prefix}/") for key in found)


def put_folder(folder: Path, uri: str) -> None:
    """Copy every file of a folder to object storage."""
    bucket, prefix = place_of(uri)
    files = sorted(path for path in folder.rglob("*") if path.is_file())

    def put(path: Path) -> None:
        with explained(uri):
            client().upload_file(str(path), bucket, f"{prefix}/{path.relative_to(folder).as_posix()}")

    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(put, files))


def put_file(path: Path, uri: str) -> None:
    """Copy a file to object storage, in parts where it is large."""
    bucket, key = place_of(uri)
    with explained(uri):
        client().upload_file(str(path), bucket, key)


def get_file(uri: str, path: Path) -> None:
    """Copy an object to a file, which is whole or not there."""
    bucket, key = place_of(uri)
    aside = path.with_name(f".{path.name}.part")
    with explained(uri):
        client().download_file(bucket, key, str(aside))
    aside.rename(path)


def delete_folder(uri: str) -> None:
    """Delete every object of a folder."""
    bucket, prefix = place_of(uri)
    with explained(uri):
        for key in keys(uri):
            client().delete_object(Bucket=bucket, Key=f"{prefix}/{key}")


def cache_folder() -> Path:
    """Where fetched folders are kept: what they hold never changes."""
    return Path(tempfile.gettempdir()) / "twinstack-objects"


def local_copy(uri: str, root: Path) -> Path:
    """Where the local copy of a folder is, or will be."""
    return root / digest.of_text(uri.rstrip("/"))


def fetched(uri: str, root: Path | None = None) -> Path:
    """A local copy of a folder, fetched the first time; of an interrupted copy nothing is left.

    Raises:
        MissingError: There is no such folder.
        ObjectStorageError: The storage cannot be reached, or refuses.
    """
    target = local_copy(uri, root or cache_folder())
    with locked(target.with_name(f".{target.name}.lock")):
        if target.exists():
            return target
        names = keys(uri)
        if not names:
            raise MissingError("nothing lies there", where=uri, remedy="run the stage that makes it")
        aside = target.with_name(f".{target.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        bucket, prefix = place_of(uri)

        def get(name: str) -> None:
            path = aside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with explained(uri):
                client().download_file(bucket, f"{prefix}/{name}", str(path))

        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(get, names))
        aside.rename(target)
    return target
