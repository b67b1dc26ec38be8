"""``POST /v1/embeddings`` on the wire: OpenAI's fields, and ``input_type`` as other providers have it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from vivavoce.errors import ClientError
from vivavoce.protocol.bodies import Body

MAX_INPUTS = 2048
"""Texts in a request (OpenAI)."""

_QUERIES = frozenset({"query", "search_query", "question"})
_PASSAGES = frozenset({"passage", "document", "search_document"})


class EmbeddingsRequest(Body):
    """What to embed, and how the vectors are written."""

    model: Annotated[str, Field(description="Any name of an embedding model, such as text-embedding-3-small.")]
    input: Annotated[str | list[Any], Field(description="A text, or up to 2048 of them. Arrays of tokens are refused.")]
    encoding_format: Annotated[
        Literal["float", "base64"], Field(description="Numbers, or little-endian 32-bit floats in base64.")
    ] = "float"
    dimensions: Annotated[int | None, Field(ge=1, description="The length of the vectors; it cannot be chosen.")] = None
    input_type: Annotated[
        str | None,
        Field(max_length=32, description="`query` or `passage`, for models that tell questions from answers."),
    ] = None

    def texts(self) -> list[str]:
        """The texts. Raises ``ClientError`` for what is no text, or too many."""
        if isinstance(self.input, str):
            return [_text(self.input, "input")]
        if not self.input or len(self.input) > MAX_INPUTS:
            raise ClientError(f"There may be 1 to {MAX_INPUTS} texts.", param="input")
        if all(isinstance(element, int | list) for element in self.input):
            raise ClientError(
                "Arrays of tokens belong to one tokenizer, and this model has another than OpenAI's: send texts. "
                "(LangChain's OpenAIEmbeddings does with check_embedding_ctx_length=False.)",
                code="unsupported_value",
                param="input",
            )
        return [_text(element, f"input[{index}]") for index, element in enumerate(self.input)]

    @property
    def is_query(self) -> bool:
        """Whether the texts are questions. What is not said is taken for one: texts embedded alike can be compared.

        Raises ``ClientError`` for another type.
        """
        kind = (self.input_type or "query").lower()
        if kind not in _QUERIES | _PASSAGES:
            names = ", ".join(sorted(_QUERIES | _PASSAGES))
            raise ClientError(f"'input_type' is one of {names}.", param="input_type")
        return kind in _QUERIES


def _text(value: Any, param: str) -> str:
    if not isinstance(value, str):
        raise ClientError(f"'{param}' must be a string.", param=param)
    if not value:
        raise ClientError(f"'{param}' must not be empty.", param=param)
    return value


class Embedding(BaseModel):
    """The meaning of the text at ``index``: a vector of length 1."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(BaseModel):
    """About how many tokens the texts have: no tokenizer agrees with another."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(BaseModel):
    """The answer, in the order of the texts."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
