"""Whatever the OpenAPI description allows, and much that it does not: no failure of the server, and errors of one shape.

schemathesis makes the requests from the description, the same ones each time. The engines are fakes, and what is searched for
on the web is found at a search service of this machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from net.pages import served
from running import RunningServer, running
from tools.web_search.providing import Searxng
from vivavoce.app import create_app
from vivavoce.config import Config, load_config


def config(search_port: int) -> Config:
    """A server that searches at this port."""
    search = {"provider": "searxng", "url": f"http://127.0.0.1:{search_port}", "fetch_pages": 0}
    limits = {"requests": 64, "sessions": 16}
    return load_config({"limits": limits, "web_search": search, "net": {"allow_private": True}}, profile="fake")


schema = schemathesis.openapi.from_dict(create_app(config(9)).openapi())
EXAMPLES = 15
"""Requests to each operation, of those allowed and those not."""


@pytest.fixture(scope="module")
def described() -> Iterator[RunningServer]:
    searxng = Searxng()
    searxng.find("https://example.org/ferry", "The ferry", "The ferry leaves at nine.")
    with served(searxng) as port, running(config(port)) as started:
        yield started


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_to_its_description(case: schemathesis.Case[Any], described: RunningServer) -> None:
    response = case.call(base_url=described.http, timeout=30)
    checks: list[Any] = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    case.validate_response(response, checks=checks)
    assert response.headers["x-trace-id"]
    if response.status_code >= 400:
        error = response.json()["error"]
        assert set(error) == {"message", "type", "code", "param"}
        assert error["message"]
        assert error["code"]
