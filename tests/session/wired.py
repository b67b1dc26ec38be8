"""A session behind a dialect: JSON events in, JSON events out, without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from session.driving import Driven
from vivavoce.errors import ClientError
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import Dialect, DialectName
from vivavoce.protocol.session_config import TurnDetection
from vivavoce.protocol.translator import Translator
from vivavoce.session.inputs import Refused
from vivavoce.session.outputs import Output, Send

Json = dict[str, Any]


class Wired(Driven):
    """What a client of one dialect sends and gets."""

    def __init__(self, dialect: DialectName | Dialect, vad: TurnDetection | None = None, **options: Any) -> None:
        super().__init__(vad, **options)
        self.translator = Translator(DIALECTS[dialect] if isinstance(dialect, str) else dialect)

    def send(self, *events: Json | str) -> list[Json]:
        """Client events (or frames as they are); returns all that was sent back."""
        fresh: list[Output] = []
        for event in events:
            try:
                fresh += self.take(self.translator.decode(event if isinstance(event, str) else json.dumps(event)))
            except ClientError as error:
                fresh += self.take(Refused(error))
        return self.frames(fresh)

    def frames(self, outputs: Iterable[Output]) -> list[Json]:
        """The server events among ``outputs`` as this client reads them."""
        return [
            json.loads(frame)
            for output in outputs
            if isinstance(output, Send)
            for frame in self.translator.encode(output.event)
        ]

    def error(self, event: Json | str) -> Json:
        """The error that an event is answered with, and nothing else."""
        (answer,) = self.send(event)
        assert answer["type"] == "error", answer
        error: Json = answer["error"]
        return error


def message(text: str, **fields: Any) -> Json:
    """A user's typed message as an event that creates it."""
    content = [{"type": "input_text", "text": text}]
    return {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "user", "content": content, **fields},
    }
