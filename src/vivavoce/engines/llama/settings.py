"""What can be set about the engine: its own table of the configuration. Defaults are the measured best on two cores."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vivavoce.engines.settings import EngineSettings


class LlamaSettings(EngineSettings):
    """Settings of one language model.

    ``weights`` is a name of the catalogue, or the path of a folder with one GGUF file.
    ``context_tokens`` is the room of one conversation (prompt and reply). ``batch_tokens`` is how much of a prompt is
    read at a stretch: within a batch nothing can be cancelled, and no other slot gets a token. ``repack`` copies the
    weights into an order made for the CPU: the first token comes a quarter sooner. ``mmap`` maps the file instead of
    reading it; together with ``repack`` it holds the weights twice. ``threads`` takes the server's CPU budget unless
    given. ``decision_slots``: how many conversations with tools at once keep in a cache what decides about calls; each
    takes the memory of one more conversation. ``copies_mb``: temporary files with what slots have read of instructions and
    tools, so that conversations which share them need not read them again (28 kB a token with the 1.5B). ``background``:
    its threads make way for recogniser and synthesizer (Linux); switch it off where other programs keep the cores busy
    without being in a group of their own. ``reminders``: when a turn tells the model in what language to answer
    (``sampling``: at a temperature above 0, where the 1.5B begins to drift). ``talk``: where there are tools, the share of
    words among what the model would begin with from which on it answers in words (``tool_classifier.py``); the 0.5B is sure
    of its calls more rarely. The sampling values apply to every request; temperature and top-p come with it.
    """

    weights: str
    context_tokens: int = Field(default=4096, ge=256)
    batch_tokens: int = Field(default=32, ge=8)
    threads: int | None = Field(default=None, ge=1)
    background: bool = True
    cache_type: Literal["f16", "q8_0"] = "f16"
    repack: bool = True
    mmap: bool = False
    decision_slots: int = Field(default=2, ge=1)
    copies_mb: int = Field(default=256, ge=0)
    reminders: Literal["always", "sampling", "never"] = "sampling"
    talk: float = Field(default=0.05, gt=0.0, lt=1.0)
    repeat_penalty: float = Field(default=1.05, ge=1.0)
    repeat_last_tokens: int = Field(default=64, ge=0)
    top_k: int = Field(default=20, ge=0)
    min_p: float = Field(default=0.0, ge=0.0, le=1.0)
