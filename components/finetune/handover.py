"""What a training leaves in the artifact store: its checkpoint, and what a TrainJob made for its stage."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from components.adapters import objects
from components.finetune.checkpoint import Checkpoint
from components.finetune.training import Outcome
from components.shared.config import Config
from components.shared.errors import DataError
from components.shared.files import write_atomic

#: Written last: the adapter beside it is whole.
OUTCOME = "outcome.json"


@dataclass(frozen=True)
class Handover:
    """The place of one training.

    Attributes:
        uri: `s3://` or `file://` URI of a folder that every process reaches.
        local: Folder of this process alone.
    """

    uri: str
    local: Path

    @property
    def _remote(self) -> bool:
        return urlsplit(self.uri).scheme == "s3"

    @property
    def _folder(self) -> Path:
        return Path(urlsplit(self.uri).path)

    def checkpoint(self) -> Checkpoint:
        """Where the progress of the training is kept."""
        if self._remote:
            return Checkpoint(self.local / "progress", f"{self.uri}/progress")
        return Checkpoint(self._folder / "progress")

    def give(self, adapter: Path, outcome: Outcome) -> None:
        """Leave the adapter's files and what the training did."""
        content = json.dumps(asdict(outcome))
        if self._remote:
            objects.put_folder(adapter, f"{self.uri}/result")
            objects.write(f"{self.uri}/{OUTCOME}", content.encode())
            return
        shutil.copytree(adapter, self._folder / "result", dirs_exist_ok=True)
        write_atomic(self._folder / OUTCOME, content)

    def ready(self) -> bool:
        """Whether the training has left its result."""
        return self._read() is not None

    def take(self, folder: Path) -> Outcome:
        """Copy the adapter's files into a folder; what the training did.

        Raises:
            DataError: The training left no result.
        """
        content = self._read()
        if content is None:
            raise DataError(
                "the TrainJob is complete and left no adapter", where=self.uri, remedy="run the stage again"
            )
        source = (
            objects.fetched(f"{self.uri}/result", self.local) if self._remote else self._folder / "result"
        )
        shutil.copytree(source, folder, dirs_exist_ok=True)
        return Outcome(**json.loads(content))

    def clear(self) -> None:
        """Forget all of it: what was trained is committed, or about to be."""
        if self._remote:
            objects.delete_folder(self.uri)
        else:
            shutil.rmtree(self._folder, ignore_errors=True)
        shutil.rmtree(self.local, ignore_errors=True)

    def _read(self) -> bytes | None:
        if self._remote:
            return objects.read(f"{self.uri}/{OUTCOME}")
        path = self._folder / OUTCOME
        return path.read_bytes() if path.exists() else None


def handover(config: Config, key: str) -> Handover:
    """The place of the training of a key."""
    root = config.stores.artifacts.rstrip("/") or (config.state_path / "artifacts").as_uri()
    return Handover(f"{root}/training/{key}", config.state_path / "training" / key)
