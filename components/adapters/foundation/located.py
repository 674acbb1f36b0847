"""Where a foundation model's weights lie: in a package, a folder, object storage or on the hub."""

import shutil
from collections.abc import Callable
from pathlib import Path

from components.adapters import objects
from components.adapters.foundation import converted
from components.adapters.packaged import packaged
from components.shared.config.llm import Foundation as Settings
from components.shared.files import locked

Note = Callable[[str], None]


def weights(settings: Settings, cache: Path, note: Note = lambda _: None) -> Path:
    """Folder of safetensors weights.

    GGUF weights that the image holds converted are taken from there. Others are converted once (20 s for
    SmolLM2-135M) and kept below `cache`; a killed conversion leaves nothing that is taken for whole.

    Raises:
        ConfigError: The model is not installed or does not exist.
    """
    scheme, _, place = settings.model.partition("://")
    if scheme == "s3":
        return objects.fetched(settings.model, cache)
    if scheme == "hf":
        from huggingface_hub import snapshot_download

        # Token, mirror and cache come from the environment, as every tool of the hub reads them.
        return Path(
            snapshot_download(place, allow_patterns=["*.json", "*.safetensors", "*.model", "*.jinja"])
        )
    source = packaged(settings.model, "foundation.model")
    if source.is_dir():
        return source
    name = converted.name(source)
    if (converted.READY / name).is_dir():
        return converted.READY / name
    folder = cache / name
    with locked(cache / f".{folder.name}.lock"):
        if not folder.exists():
            note(f"converting {source.name} to safetensors, once")
            aside = folder.with_name(f".{folder.name}.part")
            shutil.rmtree(aside, ignore_errors=True)
            converted.convert(source, aside)
            aside.rename(folder)
    return folder
