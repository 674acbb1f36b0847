"""Files of a model version, wherever they lie: as a local folder."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from components.shared import sums
from components.shared.errors import ConfigError, DataError, MissingError, NotFoundError, TwinError

#: What to do where a folder on this machine is gone: a project that was moved is the usual reason.
GONE = (
    "if the project or its state folder was moved, move it back, or link its old path to the new one; "
    "else run pipeline `train`, which puts the files back, or promote another release"
)


def local_folder(uri: str) -> Path:
    """A local folder of a model's files; from object storage they are fetched once.

    Raises:
        ConfigError: The URI is of no kind that can be fetched.
        DataError: A file is not what it was when the model was made.
        NotFoundError: The folder is gone, or a file of it.
    """
    folder = _found(uri)
    try:
        changed = sums.changed(folder)
    except FileNotFoundError as error:
        raise NotFoundError(f"model file is gone: {error.filename}", param="release", remedy=GONE) from error
    if changed:
        raise DataError(
            f"model files were changed since they were made: {', '.join(changed)}",
            where=str(folder),
            remedy="run pipeline `train`, which puts the files back, or promote another release; where the "
            "folder is a copy of object storage, delete it and try again",
        )
    return folder


def _found(uri: str) -> Path:
    parts = urlsplit(uri)
    if parts.scheme == "s3":
        from components.adapters import objects

        try:
            return objects.fetched(uri)
        except MissingError as error:
            raise NotFoundError(
                f"model files are gone: {uri}", param="release", remedy="train again"
            ) from error
    if parts.scheme not in ("", "file"):
        raise ConfigError(
            f"model files lie at '{uri}', which this version does not fetch", remedy="use file:// or s3://"
        )
    folder = Path(url2pathname(parts.path))
    if not folder.is_dir():
        raise NotFoundError(f"model files are gone: {folder}", param="release", remedy=GONE)
    return folder


def available(uri: str) -> bool:
    """Whether a model's files are where they were, and on this machine as they were; nothing is fetched."""
    if urlsplit(uri).scheme == "s3":
        from components.adapters import objects

        return bool(objects.keys(uri))
    try:
        local_folder(uri)
    except TwinError:
        return False
    return True
