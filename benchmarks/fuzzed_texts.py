"""Texts nobody writes, said by every front end and in Realtime conversations: nothing is raised, and no conversation ends.

    python benchmarks/fuzzed_texts.py                  # 5000 texts
    python benchmarks/fuzzed_texts.py --count 500 --seed 7

First every text goes through the front ends of English (American, British and Hibari's), Chinese and Japanese. Then each is
a user's message in one of some conversations with a server of its own (``fuzzed_texts_server.py``), whose language model
repeats it and whose networks of speech are left out; all else is real. It ends with 1 when a front end raised or took too
long, when a conversation ended, or when a response failed.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import signal
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from vivavoce.cli.local_server import Health, check_health, free_port
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import RealtimeClient, connect
from vivavoce.client.errors import ConnectError
from vivavoce.client.turn import text_turn
from vivavoce.engines.safe_phonemizer import SafePhonemizer
from vivavoce.text.clauses import ClauseSplitter
from vivavoce.types import Language

SLOW_S = 2.0
"""A front end takes milliseconds for a text; this is a pattern that backtracks."""

CONVERSATIONS = 4
TURNS_OF_ONE = 250
VOICES = ("alloy", "cixingnansheng", "bf_emma", "zf_xiaoxiao", "jf_alpha")
READY_WITHIN_S = 120.0
CONFIG = """
[engines]
speech_detector = "fake"
recognizer = "fake"
turn_scorer = "fake"
embedder = "fake"
speaker_verifier = "fake"
speakers = ["hibari", "kokoro"]
[engines.language_models]
large = {engine = "fake"}
small = {engine = "fake"}
"""
LONGEST_TURN_S = 60.0

_SCRIPTS = (
    *(
        "abcxyzABCXYZ",
        "äéñçßøœ",
        "абвгд",
        "αβγπΩ",
        "你好价格电话编号",
        "こんにちはカタカナー",
        "円価気駅",
        "안녕하세요",
    ),
    *(
        "مرحبا",
        "שלום",
        "नमस्ते",
        "สวัสดี",
        "١٢٣",
        "१२३",
        "①②③⑩㉑Ⅳⅻ½⅚㎡㎏℃№™",
        "𝟙𝟚𝐀𝑩🄰",
        "😀👍🏽👩‍👩‍👧🇩🇪",
        "\u200b\u200d\ufeff\u202e",
    ),
)
_SIGNS = "0123456789.,:;/-–—~〜%‰$€£¥₩°²³#@&+=<>≥≤±√∞*_`'\"()[]{}|\\^!?。、，；：！？…（）「」→"
_PARTS = (
    *(
        "$",
        "5€",
        "-5℃",
        "1/2",
        "3:45",
        "2024-05-06",
        "555-123-4567",
        "www.a.io/x?y=1",
        "a.b@c.de",
        "```",
        "<think>",
        "</think>",
    ),
    *(
        "\\frac{1}{2}",
        "$$x^2$$",
        "<break time='9999s'/>",
        "<phoneme ph='",
        "[pause:99999s]",
        "&amp;&#0;",
        "[1]",
        "(/ˈ/)",
        "|a|b|",
    ),
    *(
        "*smiles*",
        "订单",
        "房间",
        "番号は",
        "order ",
        "room ",
        "kg",
        "km/h",
        "万",
        "億",
        "e10",
        "1e999",
        "0x7f",
        "№",
        "±",
        "C#",
    ),
)


def fuzzed(chance: random.Random) -> str:
    """A text of one of several kinds."""
    match chance.randrange(7):
        case 0:
            return "".join(chance.choices(_any_character_pool(chance), k=chance.randint(1, 80)))
        case 1:
            return chance.choice("-+$¥№#( ") + "".join(
                chance.choices("0123456789", k=chance.choice((1, 15, 16, 17, 37, 400)))
            )
        case 2:
            return "".join(chance.choices(_SIGNS, k=chance.randint(1, 60)))
        case 3:
            return chance.choice(_SIGNS) * chance.choice((1, 33, 500))
        case 4:
            words = (
                "".join(chance.choices(chance.choice(_SCRIPTS) + "01", k=chance.randint(1, 9)))
                for _ in range(chance.randint(1, 14))
            )
            return chance.choice(("", " ", "-", "，", "\n", ". ")).join(words)
        case 5:
            return "".join(chance.choices(_PARTS, k=chance.randint(1, 12)))
        case _:
            return "".join(
                chance.choice((chance.choice(_PARTS), chance.choice(chance.choice(_SCRIPTS)), chance.choice(_SIGNS)))
                for _ in range(chance.randint(1, 40))
            )


def _any_character_pool(chance: random.Random) -> list[str]:
    """Some characters of all of Unicode; halves of surrogates cannot be sent."""
    pool = (chr(chance.randrange(0x110000 if chance.random() < 0.3 else 0x3000)) for _ in range(40))
    return [char for char in pool if unicodedata.category(char) != "Cs"] or ["x"]


# ---- front ends


class GuardCount(logging.Handler):
    """Counts how often a front end could not read a text as it is (``SafePhonemizer`` read it word by word)."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One more, where it is about a clause."""
        self.count += "word by word" in record.getMessage()


def front_ends() -> Mapping[str, tuple[Language, Callable[[str], object]]]:
    """By name: the language, and what makes phonemes of its text, as the synthesizers have it."""
    from hibari import Hibari  # all of these take seconds to load

    from vivavoce.engines.hibari import VOICE
    from vivavoce.engines.kokoro.chinese import Chinese
    from vivavoce.engines.kokoro.japanese import Japanese
    from vivavoce.engines.phonemes.english import English, english_g2p
    from vivavoce.text.verbalization import verbalize

    american = English()
    hibari = Hibari(voice=VOICE, threads=1, g2p=english_g2p(british=False))
    return {
        "American English": ("en", american),
        "British English": ("en", English(british=True)),
        "Hibari": ("en", lambda text: hibari.phonemize(verbalize(text, "en"))),
        "Chinese": ("zh", SafePhonemizer("Chinese", Chinese(american))),
        "Japanese": ("ja", SafePhonemizer("Japanese", Japanese(american))),
    }


def read_all(texts: Sequence[str]) -> bool:
    """Every text by every front end, in the clauses a reply would have; prints what they did. Whether all is well."""
    guards = GuardCount()
    log = logging.getLogger("vivavoce.engines.safe_phonemizer")
    log.addHandler(guards)
    log.propagate = False
    well = True
    for name, (language, read) in front_ends().items():
        raised: Counter[str] = Counter()
        slowest, before, started_s = (0.0, ""), guards.count, time.perf_counter()
        for text in texts:
            clause_started_s = time.perf_counter()
            try:
                for clause in clauses(text, language):
                    read(clause)
                read(text)
            except Exception as error:  # noqa: BLE001 (that is what is looked for)
                raised[f"{type(error).__name__}: {text[:60]!r}"] += 1
            slowest = max(slowest, (time.perf_counter() - clause_started_s, text))
        took_s = time.perf_counter() - started_s
        print(
            f"{name}: {len(texts)} texts in {took_s:.0f} s, {raised.total()} exceptions, guarded {guards.count - before}, "
            f"slowest {slowest[0]:.2f} s ({len(slowest[1])} characters: {slowest[1][:30]!r})",
            flush=True,
        )
        for failure in list(raised)[:5]:
            print("   ", failure)
        well = well and not raised and slowest[0] < SLOW_S
    return well


def clauses(text: str, language: Language | None) -> list[str]:
    """What is sent to a synthesizer."""
    splitter = ClauseSplitter(language)
    return [clause.spoken for clause in (*splitter.push(text), *splitter.flush()) if clause.spoken]


# ---- conversations


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[ServerAddress]:
    """``fuzzed_texts_server.py``, ready; its log is ``folder/log``."""
    port = free_port()
    config = folder / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    environment = {
        **os.environ,
        "VIVAVOCE_STORAGE__URL": f"sqlite:///{folder / 'vivavoce.db'}",
        "VIVAVOCE_STORAGE__BLOBS": str(folder / "blobs"),
        "VIVAVOCE_LIMITS__SESSIONS": str(CONVERSATIONS),
        "VIVAVOCE_LIMITS__AUDIO_LEAD_MS": "600000",  # else a text that asks for pauses of 10 s takes as long
    }
    command = [sys.executable, str(Path(__file__).with_name("fuzzed_texts_server.py")), "serve"]
    command += ["--config", str(config), "--port", str(port), "--log-level", "warning"]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log)
    address = ServerAddress(f"ws://127.0.0.1:{port}")
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while await check_health(address) is not Health.READY:
                if process.returncode is not None:
                    raise RuntimeError((folder / "log").read_text("utf-8", "replace")[-2000:])
                await asyncio.sleep(0.2)
        yield address
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def talk(address: ServerAddress, texts: Sequence[str], voice: str, found: Counter[str]) -> None:
    """One conversation: each text is a message, and its reply is waited for. Counts in ``found`` what became of them."""
    done = 0
    try:
        async with connect(address.url) as client:
            await client.update_session({"voice": voice})
            for text in texts:
                found[await _turn(client, text)] += 1
                done += 1
    except ConnectError as error:
        print(f"a conversation ended at {texts[done]!r}: {error}", flush=True)
        found["conversation ended"] += 1


async def _turn(client: RealtimeClient, text: str) -> str:
    record = await text_turn(client, text, timeout_s=LONGEST_TURN_S)
    reply = record.reply
    outcome = reply.status if reply is not None else "no reply"
    if outcome != "completed":
        print(f"{outcome} at {text!r}: {reply.failure if reply else record.errors}", flush=True)
    return outcome


async def talk_about(texts: Sequence[str]) -> bool:
    """All texts, in conversations of ``TURNS_OF_ONE`` messages; whether every one of them was answered."""
    found: Counter[str] = Counter()
    conversations = [texts[at : at + TURNS_OF_ONE] for at in range(0, len(texts), TURNS_OF_ONE)]
    free = asyncio.Semaphore(CONVERSATIONS)

    async def one(number: int) -> None:
        async with free:
            await talk(address, conversations[number], VOICES[number % len(VOICES)], found)

    with tempfile.TemporaryDirectory() as folder:
        async with server(Path(folder)) as address, asyncio.TaskGroup() as tasks:
            for number in range(len(conversations)):
                tasks.create_task(one(number))
        errors = [line for line in (Path(folder) / "log").read_text("utf-8", "replace").splitlines() if "ERROR" in line]
    print(
        f"{len(conversations)} conversations, {found.total()} messages: {dict(found)}; {len(errors)} errors in the log"
    )
    print(*errors[:5], sep="\n")
    return set(found) == {"completed"} and not errors


def main() -> None:
    """The entry point."""
    parser = argparse.ArgumentParser(description="Texts nobody writes, said by every front end and in conversations.")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    texts = [fuzzed(chance) for _ in range(options.count)]
    read = read_all(texts)
    talked = asyncio.run(talk_about([text for text in texts if text.strip()]))
    sys.exit(not (read and talked))


if __name__ == "__main__":
    main()
