"""Recipes to KFP YAML; what lies in `pipelines/compiled` is what runs, on a laptop and on a cluster."""

from pathlib import Path
from typing import get_args

from components.shared.config import Kind

COMPILED = Path(__file__).parent / "compiled"


def compiled_path(name: str, kind: Kind, folder: Path = COMPILED) -> Path:
    """File of a compiled pipeline."""
    return folder / f"{name}-{kind}.yaml"


def compile_all(folder: Path = COMPILED) -> list[Path]:
    """Write every recipe for both kinds; the same recipes give the same bytes."""
    from kfp.compiler import Compiler

    from pipelines.recipes import RECIPES, pipeline

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in RECIPES:
        for kind in get_args(Kind):
            path = compiled_path(name, kind, folder)
            Compiler().compile(pipeline(name, kind), str(path))
            written.append(path)
    return written
