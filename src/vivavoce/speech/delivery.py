"""How a request's speech is to be said, for text that is written already: its words cannot be another dialect's."""

from __future__ import annotations

from collections.abc import Mapping

from vivavoce.errors import ClientError
from vivavoce.speaking.delivery import Delivery, delivery


def spoken_delivery(
    label: Mapping[str, str | None] | None, instruction: str | None, *, param: str = "voice_label"
) -> Delivery:
    """What comes of a voice label and an instruction. Raises ``ClientError`` for a label there is not, or nobody speaks."""
    way = delivery(label, instruction, param=param)
    if way.dialect is not None:
        dialect = (label or {}).get("language")
        raise ClientError(
            f"No voice of this server speaks {dialect}.", code="unsupported_value", param=f"{param}.language"
        )
    return way
