from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from vivavoce.errors import ClientError
from vivavoce.protocol.bodies import Body, inlined, read_body


class Cat(Body):
    kind: Literal["cat"]
    lives: int = 9


class Dog(Body):
    kind: Literal["dog"]
    name: str


class Home(Body):
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = Field(default_factory=list)
    address: str | list[str]


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_required_parameter", "address"),
        ({"address": 7}, "invalid_value", "address"),
        ({"address": ["a", 7]}, "invalid_value", "address[1]"),
        ({"address": "a", "pets": {}}, "invalid_value", "pets"),
        ({"address": "a", "pets": [{"kind": "cat"}, {"kind": "dog"}]}, "missing_required_parameter", "pets[1].name"),
        ({"address": "a", "pets": [{"kind": "cat", "lives": "x"}]}, "invalid_value", "pets[0].lives"),
        ({"address": "a", "pets": [{"kind": "cow"}]}, "invalid_value", "pets[0]"),
        ({"address": "a", "pets": [7]}, "invalid_value", "pets[0]"),
    ],
)
def test_what_is_wrong_is_said_in_the_clients_own_path(body: object, code: str, param: str) -> None:
    with pytest.raises(ClientError) as refused:
        read_body(json.dumps(body).encode(), Home)
    assert (refused.value.code, refused.value.param) == (code, param)


def test_unknown_fields_and_nulls_are_left_out() -> None:
    home = read_body(b'{"address": "a", "pets": [{"kind": "cat", "lives": null, "x": 1}], "colour": null}', Home)
    assert home.pets == [Cat(kind="cat")]


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(ClientError):
        assert read_body(data, Home).address


def test_a_schema_without_references() -> None:
    schema = inlined(Home)
    assert "$ref" not in json.dumps(schema)
    assert schema["properties"]["pets"]["items"]["oneOf"][0]["properties"]["lives"]["default"] == 9
