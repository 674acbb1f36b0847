"""What a stage leaves behind: one small JSON object that names what was made, of what, and where it lies."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import Field, JsonValue, PrivateAttr, ValidationError

from components.shared.errors import DataError
from components.shared.stored import Binding

#: File name of a manifest inside its folder. Written last: a folder without it does not exist for readers.
MANIFEST = "manifest.json"


class Manifest(Binding):
    """The committed output of one stage.

    Attributes:
        stage: The stage that made it.
        twin: The twin it belongs to.
        recipe: Digest of all that determines it: code, settings, parents. Known before the work starts.
        version: Digest of the content. Two recipes that give the same content share a version.
        uri: The folder where the bytes lie.
        parents: Stage name to version, of what it was made from.
        facts: Counts, metrics and names for people, gates and later stages.
        summary: One line for people.
        skipped: Why no work was done this time; empty where it was.
        seconds: Wall time of the work that made it.
    """

    stage: str
    twin: str
    recipe: str
    version: str
    uri: str
    parents: dict[str, str] = Field(default_factory=dict)
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    summary: str = ""
    skipped: str = ""
    seconds: float = 0.0

    _open: Callable[[str], Path] | None = PrivateAttr(default=None)

    @property
    def folder(self) -> Path:
        """A local folder with the bytes of `uri`; of a remote one a copy, fetched when it is first asked for.

        Raises:
            DataError: It is remote, and the manifest was not read through its store.
        """
        if self._open is not None:
            return self._open(self.uri)
        if "://" in self.uri and not self.uri.startswith("file://"):
            raise DataError(
                f"the output of stage {self.stage} lies at {self.uri}, not on this machine",
                where=f"manifest of stage {self.stage}, twin {self.twin}",
                remedy="set stores.artifacts to the store that it lies in",
            )
        return local_path(self.uri)

    def bound(self, opener: Callable[[str], Path]) -> "Manifest":
        """A copy whose `folder` is opened by the store it lies in."""
        made = self.model_copy()
        made._open = opener
        return made

    def number(self, fact: str) -> float:
        """A fact that is a number.

        Raises:
            DataError: The fact is absent or is no number.
        """
        value = self.facts.get(fact)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DataError(
                f"fact '{fact}' is {value!r}, not a number",
                where=f"manifest of stage {self.stage}, twin {self.twin}",
                remedy=f"run stage {self.stage} again",
            )
        return float(value)

    def text(self, fact: str) -> str:
        """A fact that is a text.

        Raises:
            DataError: The fact is absent or is no text.
        """
        value = self.facts.get(fact)
        if not isinstance(value, str):
            raise DataError(
                f"fact '{fact}' is {value!r}, not a text",
                where=f"manifest of stage {self.stage}, twin {self.twin}",
                remedy=f"run stage {self.stage} again",
            )
        return value


def local_path(uri: str) -> Path:
    """The path of a `file://` URI, or of a plain path."""
    return Path(unquote(urlsplit(uri).path) if uri.startswith("file://") else uri)


def read(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        DataError: The file is missing or is no manifest.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"no readable manifest: {error}", where=str(path), remedy="run the stage that makes it"
        ) from error
