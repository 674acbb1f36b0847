"""What a caller of the embeddings API sends."""

from typing import Annotated, Literal

from pydantic import Field

from components.serving.openai.fields import Closed, not_longer, read
from components.shared.config.serving import Serving

#: Texts of one request.
MAX_TEXTS = 256

Text = Annotated[str, Field(min_length=1)]


class EmbeddingRequest(Closed):
    """`POST /openai/v1/embeddings`: vectors of the encoder that the twin's release searches with."""

    model: str = Field(min_length=1, max_length=100)
    """Name of the twin."""
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
    """One text or several; each is cut at the encoder's longest input."""
    encoding_format: Literal["float", "base64"] = "float"
    """`base64` is little-endian float32."""
    dimensions: int | None = Field(default=None, ge=1)
    """The encoder's own size; any other is refused."""
    user: str | None = Field(default=None, max_length=500)
    """The caller's word for its user; not used."""

    @property
    def texts(self) -> list[str]:
        """The texts."""
        return [self.input] if isinstance(self.input, str) else self.input


def parse(body: bytes, limits: Serving) -> EmbeddingRequest:
    """A checked request.

    Raises:
        RequestError: It is no JSON object, or a field is wrong or unknown.
        TooLargeError: A text is too long.
    """
    request = read(EmbeddingRequest, body)
    for place, text in enumerate(request.texts):
        not_longer(text, "input" if isinstance(request.input, str) else f"input[{place}]", limits)
    return request
