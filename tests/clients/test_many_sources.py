"""Two stores and the web in one conversation, with the real models: their descriptions decide which is searched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from running import RunningServer, talking
from tools.test_retrieval_end_to_end import knowing
from tools.web_search.providing import Web

pytestmark = pytest.mark.real

MUSEUM = "The museum of the sea is open from ten to six. A family ticket costs twenty-six euros.\n"
COMPANY = "Employees have thirty days of paid leave a year. The office in Lyon is closed in August.\n"


def _retrieval(store: str, description: str) -> dict[str, Any]:
    return {"type": "retrieval", "function": {"description": description, "options": {"vector_store_id": store}}}


@pytest.mark.parametrize(
    ("question", "source", "answer"),
    [
        pytest.param(
            "How much is a family ticket for the museum of the sea?",
            "museum.txt",
            ("26", "twenty-six"),
            marks=pytest.mark.slow,
        ),
        ("How many days of paid leave do our employees have?", "company.txt", ("30", "thirty")),
        ("Search the web, when does the ferry leave tomorrow?", "Ferry times", ("9:40", "forty")),
    ],
)
async def test_the_descriptions_decide(
    real_server: RunningServer, web: Web, tmp_path: Path, question: str, source: str, answer: tuple[str, ...]
) -> None:
    web.searxng.results.clear()
    web.searxng.find("https://example.org/ferry", "Ferry times", "Tomorrow the ferry leaves at 9:40 in the morning.")
    stores = {}
    for name, text in (("museum.txt", MUSEUM), ("company.txt", COMPANY)):
        (tmp_path / name).write_text(text)
        stores[name] = knowing(real_server, tmp_path / name)
    tools = [
        _retrieval(stores["museum.txt"], "The guide of the museum: tickets, opening hours."),
        _retrieval(stores["company.txt"], "Rules of the company for employees: leave, offices."),
        {"type": "web_search", "function": {"description": "Search the web for news and timetables."}},
    ]
    async with talking(real_server) as talker:
        talker.patience_s = 300.0
        session = {"modalities": ["text"], "tools": tools, "temperature": 0}
        await talker.send(type="session.update", session=session)
        await talker.until("session.updated")
        await talker.say(question)
        await talker.send(type="response.create")
        done = (await talker.until("response.done"))[-1]["response"]
    [item] = done["output"]
    assert item["metadata"]["citations"][0]["title"] == source
    said = item["content"][0]["text"]
    assert any(number in said for number in answer), said
