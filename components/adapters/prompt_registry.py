"""MLflow's prompt registry: every text that was released once, as a version that does not change.

The files in git are the source; here people look them up and compare them. MLflow keeps prompts among
the registered models, so a twin's prompt has a name of its own beside the twin's model.
"""

from typing import TYPE_CHECKING

from components.shared import digest

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: Tag of a version: the digest of its text, the prompt version of a release.
TAG = "twinstack.prompt"


def name_of(twin: str) -> str:
    """Name of a twin's prompt in the registry."""
    return f"{twin}-prompt"


def register(client: "MlflowClient", twin: str, text: str) -> int:
    """The version of a text; the same text is the same version.

    Args:
        client: Of a tracking store that has a prompt registry.
        twin: Whose prompt it is.
        text: The prompt file.
    """
    name, key = name_of(twin), digest.of_text(text)
    if client.get_prompt(name) is not None:
        for known in client.search_prompt_versions(name):
            if known.tags.get(TAG) == key:
                return int(known.version)
    return int(client.register_prompt(name, text, tags={TAG: key}).version)
