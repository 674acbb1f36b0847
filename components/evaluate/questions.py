"""The evaluation set of an LLM twin."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from components.shared import digest, yaml_text
from components.shared.errors import DataError


class Question(BaseModel):
    """A question, its reference answer, and the path of the document that answers it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(min_length=3)
    answer: str = Field(min_length=1)
    document: str = Field(min_length=1)


def read(path: Path) -> list[Question]:
    """Every question of a YAML list.

    Raises:
        DataError: The file is missing or holds something else; field and value are named.
    """
    try:
        raw = yaml_text.read(path.read_text(encoding="utf-8-sig"))
        found = TypeAdapter(list[Question]).validate_python(raw)
    except OSError as error:
        raise DataError(f"cannot read the questions: {error.strerror}", where=str(path)) from error
    except (yaml_text.NotYamlError, UnicodeDecodeError) as error:
        raise DataError(f"not YAML: {error}", where=str(path), remedy="mend the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"question {place} is {first['input']!r}: {first['msg']}",
            where=str(path),
            remedy="give every entry question, answer and document",
        ) from error
    if not found:
        raise DataError("there are no questions", where=str(path), remedy="write at least one")
    return found


def version(questions: list[Question]) -> str:
    """Digest of the questions with their answers."""
    return digest.of_json([one.model_dump() for one in questions])
