"""The generated pages say what the code says."""

import subprocess
import sys
from pathlib import Path

from pydantic import BaseModel

from components.shared.config.base import Settings
from components.shared.config.root import Config

ROOT = Path(__file__).resolve().parents[2]


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.generate_docs", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def models(base: type[BaseModel]) -> list[type[BaseModel]]:
    return [found for one in base.__subclasses__() for found in (one, *models(one))]


def test_every_field_of_the_configuration_is_described() -> None:
    every: list[type[BaseModel]] = [Config, *models(Settings)]
    bare = [
        f"{model.__name__}.{name}"
        for model in every
        if model.__module__.startswith("components.")
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert bare == []
