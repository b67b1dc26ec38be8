"""The plug-ins that come along."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from vivavoce.config.outbound import McpConfig, ToolsConfig
from vivavoce.net.fetching import Fetcher
from vivavoce.tools.base import CallContext, ServerTool
from vivavoce.tools.builtin.calculator import Calculator
from vivavoce.tools.builtin.clock import Clock
from vivavoce.tools.builtin.countdowns import MAX_TIMERS
from vivavoce.tools.builtin.timers import Timers
from vivavoce.tools.catalog import NoSuchToolError, ToolCatalog, ToolFactories, language_of, load_plugin
from vivavoce.tools.session_tools import SessionTools
from vivavoce.types import GenerationOptions, Message


async def run(tool: ServerTool, context: CallContext | None = None, **arguments: Any) -> tuple[str, bool]:
    result = await tool.run(arguments, context or CallContext("me"))
    assert result.trusted
    return result.text, result.failed


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Asia/Tokyo", "Saturday, 2026-02-28, 23:30 (Asia/Tokyo)."),
        ("new york", "Saturday, 2026-02-28, 09:30 (America/New_York)."),
        ("Paris", "Saturday, 2026-02-28, 15:30 (Europe/Paris)."),
        ("Asia/Beijing", "Saturday, 2026-02-28, 22:30 (Asia/Shanghai)."),
        ("北京", "Saturday, 2026-02-28, 22:30 (Asia/Shanghai)."),
        ("San Francisco", "Saturday, 2026-02-28, 06:30 (America/Los_Angeles)."),
        ("GMT+8", "Saturday, 2026-02-28, 22:30 (UTC+08:00)."),
        ("UTC-3:30", "Saturday, 2026-02-28, 11:00 (UTC-03:30)."),
        ("+05:30", "Saturday, 2026-02-28, 20:00 (UTC+05:30)."),
        ("utc", "Saturday, 2026-02-28, 14:30 (UTC)."),
    ],
)
async def test_the_clock(zone: str, told: str) -> None:
    clock = Clock(lambda: datetime(2026, 2, 28, 14, 30, tzinfo=UTC))
    assert await run(clock, timezone=zone) == (told, False)


async def test_the_clock_here_and_nowhere() -> None:
    clock = Clock(lambda: datetime(2026, 2, 28, 14, 30, tzinfo=UTC))
    assert "(here, " in (await run(clock))[0]
    for here in ("", "local", "本地"):
        text, failed = await run(clock, timezone=here)
        assert "2026-" in text
        assert "(here, " in text, "so that it is not told as the time of somewhere else"
        assert not failed
    for nowhere in ("Atlantis", "UTC+99", "../../etc/passwd"):
        assert (await run(clock, timezone=nowhere))[1]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("12.5 * (3 + 4)", "87.5"),
        ("1,200 / 4", "300"),
        ("2^10", "1024"),
        ("15% * 80", "12"),
        ("-7 // 2", "-4"),
        ("sqrt(2)", "1.414213562"),
        ("6 × 7 ÷ 2", "21"),
    ],
)
async def test_the_calculator(expression: str, value: str) -> None:
    assert await run(Calculator(), expression=expression) == (f"{expression} = {value}", False)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1/0",
        "9**9**9**9",
        "10**400",
        "(-8)**0.5",
        "__import__('os')",
        "x",
        "'a'*9",
        "True",
        "1 if 1 else 2",
        "(" * 150,
    ],
)
async def test_what_is_no_arithmetic_is_not_run(expression: str) -> None:
    assert (await run(Calculator(), expression=expression))[1]


def offering(*names: str, **settings: Any) -> ToolCatalog:
    def nothing(*_: Any) -> Any:
        raise AssertionError

    config = ToolsConfig.model_validate({"builtin": names, **settings})
    factories = ToolFactories(nothing, nothing, nothing)
    return ToolCatalog(config, McpConfig(), Fetcher(), factories, builtin=[load_plugin(name) for name in names])


async def test_timers_are_a_conversations_own_and_speak_up() -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    live, other = SessionTools(offering(), "me"), SessionTools(offering(), "you")
    live.notify_with(heard.put_nowait)
    timers, mine = Timers(), CallContext("me", live=live)
    assert await run(timers, mine, action="set", seconds=3600, label="cake") == ("Timer set: 1 h, cake.", False)
    assert (await run(timers, mine, action="list"))[0].startswith("cake: 1 h")
    assert await run(timers, CallContext("you", live=other), action="list") == ("No timer is running.", False)
    assert await run(timers, mine, action="cancel", label="cake") == ("Timer cancelled.", False)
    assert await run(timers, mine, action="list") == ("No timer is running.", False)
    live.later(0, "The timer tea is over.")
    async with asyncio.timeout(5):
        assert await heard.get() == "The timer tea is over."
    assert (await run(timers, mine, action="set"))[0].startswith("Ask how long")
    for _ in range(MAX_TIMERS):
        await run(timers, mine, action="set", seconds=60)
    assert "too many" in (await run(timers, mine, action="set", seconds=60))[0]
    live.later(0, "never said")
    live.close()
    await asyncio.sleep(0.01)
    assert heard.empty()


async def test_timers_need_a_conversation() -> None:
    assert (await run(Timers(), action="set", seconds=5))[1]


async def test_plugins_are_offered_when_they_are_named() -> None:
    made = offering("clock", "calculator")
    assert made.has_server_tools
    assert [tool.tool.name for tool in await made.server_tools("me", [])] == ["get_date_and_time", "calculate"]
    assert not offering().has_server_tools
    options = await SessionTools(made, "me").for_prefill(GenerationOptions(), [])
    assert [tool.name for tool in options.tools] == ["get_date_and_time", "calculate"]
    with pytest.raises(NoSuchToolError, match="clock"):
        offering("sundial")


async def test_settings_reach_the_reply() -> None:
    made = offering(rounds=2, filler_ms="off", fillers={"de": "Moment."}, calls_after_untrusted=True)
    _, server = await SessionTools(made, "me").for_reply((), GenerationOptions(), (), (), "de")
    assert (server.rounds, server.filler_ms, server.calls_after_untrusted) == (2, None, True)
    assert (server.fillers["de"], server.fillers["zh"]) == ("Moment.", "我查一下。")
    assert server.context.language == "de"


def test_the_language_is_that_of_the_last_words() -> None:
    assert language_of([Message("user", "hello"), Message("user", "你好")], "en") == "zh"
    assert language_of([Message("user", "hello")], "ja") == "ja"
    assert language_of([Message("user", "hello", reply_language="en")], "ja") == "en"
