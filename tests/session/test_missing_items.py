"""Items that are not there, and ids that are taken: each platform's clients look for their own code."""

from __future__ import annotations

from typing import Any

import pytest

from session.wired import Wired, message
from vivavoce.protocol.dialect import DialectName

OPENAI: list[DialectName] = ["openai", "openai_beta"]
every_dialect = pytest.mark.parametrize("dialect", [*OPENAI, "stepfun"])

RETRIEVE = {"type": "conversation.item.retrieve", "item_id": "nobody"}
DELETE = {"type": "conversation.item.delete", "item_id": "nobody"}
TRUNCATE = {"type": "conversation.item.truncate", "item_id": "nobody", "content_index": 0, "audio_end_ms": 0}
AFTER_NOBODY = {**message("hello"), "previous_item_id": "nobody"}
TAKEN = message("hello again", id="mine")

CASES = [
    (RETRIEVE, "item_retrieve_invalid_item_id", "item_not_found", "item_id"),
    (DELETE, "item_delete_invalid_item_id", "item_not_found", "item_id"),
    (TRUNCATE, "item_truncate_invalid_item_id", "item_not_found", "item_id"),
    (AFTER_NOBODY, "item_create_invalid_previous_item_id", "item_not_found", "previous_item_id"),
    (TAKEN, "item_create_duplicate_item_id", "item_already_exists", "item.id"),
]


@every_dialect
@pytest.mark.parametrize(("event", "openai", "stepfun", "param"), CASES)
def test_the_code_is_the_platforms(
    dialect: DialectName, event: dict[str, Any], openai: str, stepfun: str, param: str
) -> None:
    wired = Wired(dialect)
    wired.send(message("hello", id="mine"))
    error = wired.error({**event, "event_id": "e1"})
    assert error["code"] == (stepfun if dialect == "stepfun" else openai)
    assert (error["type"], error["param"], error["event_id"]) == ("invalid_request_error", param, "e1")


@pytest.mark.parametrize("dialect", OPENAI)
def test_the_words_are_openais_too(dialect: DialectName) -> None:
    """Some clients know a code's errors apart by their text only."""
    wired = Wired(dialect)
    wired.send(message("hello", id="mine"))
    told = [wired.error(event)["message"] for event in (RETRIEVE, DELETE, TRUNCATE, TAKEN)]
    assert told == [
        "Error retrieving item: the item with id 'nobody' does not exist.",
        "Error deleting item: the item with id 'nobody' does not exist.",
        "Error truncating item: the item with id 'nobody' does not exist.",
        "Error adding item: an item with id 'mine' already exists.",
    ]


@every_dialect
def test_an_item_that_was_deleted_is_not_there_any_more(dialect: DialectName) -> None:
    wired = Wired(dialect)
    wired.send(message("hello", id="mine"), {"type": "conversation.item.delete", "item_id": "mine"})
    assert "invalid_item_id" in wired.error({**DELETE, "item_id": "mine"})["code"] or dialect == "stepfun"
    assert wired.send(message("hello", id="mine"))[0]["item"]["id"] == "mine"


@every_dialect
def test_an_empty_previous_item_id_is_the_end(dialect: DialectName) -> None:
    wired = Wired(dialect)
    wired.send(message("one", id="1"))
    created = wired.send({**message("two", id="2"), "previous_item_id": ""})[0]
    assert created["previous_item_id"] == "1"
