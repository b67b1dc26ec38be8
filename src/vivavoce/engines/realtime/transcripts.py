"""What the other side writes down of a turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from vivavoce.engines.realtime.line import Line
from vivavoce.engines.realtime.mirror import FarItem
from vivavoce.engines.remote.client import RemoteClient
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.text.scripts import written_language
from vivavoce.types import Language, Transcript, TranscriptDelta


async def transcript_of(
    line: Line, item: FarItem, client: RemoteClient, language: Language | None
) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
    """Deltas, or none, then the transcript, within the time an answer may take. Raises ``RemoteError``.

    The other side does not say in which language somebody spoke: it is the one asked for, or that of the script.
    """
    text = ""
    try:
        async with asyncio.timeout(client.settings.first_s):
            queue = line.transcript_of(await line.id_of(item))
            while True:
                event = await queue.get()
                if isinstance(event, RemoteError):
                    raise event
                kind = str(event["type"]).rpartition(".")[2]
                if kind == "completed":
                    words = str(event.get("transcript") or "").strip()
                    yield Transcript(words, language or written_language(words) or "en")
                    return
                if kind == "failed":
                    raise RemoteError(client.engine, "could not write down what was said")
                delta = str(event.get("delta") or "")
                delta = delta.removeprefix(text) if text else delta  # StepFun's are all words so far
                text += delta
                yield TranscriptDelta(delta)
    except TimeoutError as error:
        raise RemoteError(client.engine, "did not write down what was said in time", away=True) from error
