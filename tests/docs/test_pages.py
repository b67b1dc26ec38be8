"""What holds for every page: its settings can be set, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from docs.markdown import DOCS, Block, blocks
from running import running
from vivavoce.cli.weights import weights_of
from vivavoce.config import Config, load_config
from vivavoce.config.engines import FAKE_ENGINES, LanguageModelConfig
from vivavoce.config.mistakes import unknown_variables
from vivavoce.models.catalogue import load_catalogue
from vivavoce.preflight import broken_references

PAGES = [*sorted(DOCS.glob("*.md")), *DOCS.parent.glob("README*.md")]
CONFIGURATIONS = [
    pytest.param(block, id=f"{page.name}:{block.line}")
    for page in PAGES
    for block in blocks(page)
    if block.language == "toml" and not block.labels
]


@pytest.mark.parametrize("block", CONFIGURATIONS)
def test_every_toml_block_is_a_configuration_that_can_work(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in re.findall(r'api_key_env = "(\w+)"', block.text):
        monkeypatch.setenv(variable, "a-key")
    file = tmp_path / "vivavoce.toml"
    file.write_text(block.text)
    tables = re.findall(r"^\[(\w+)", block.text, re.MULTILINE)
    config = load_config(file=file)
    assert set(config.model_dump(include=set(tables), exclude_unset=True)) == set(tables)
    assert not broken_references(config)
    catalogue = load_catalogue()
    assert all(catalogue.entry(name) for name in weights_of(config))


def test_the_model_that_hears_and_speaks_by_a_decoder_can_work(tmp_path: Path) -> None:
    """Whether or not the decoder it names is installed: the fake one stands for it."""
    (block,) = [block for block in blocks(DOCS / "engines.md") if block.labels == ("decoder",)]
    chat, _, decoder = block.text.partition("[engines.settings.token2wav]")
    assert "voices" in decoder
    file = tmp_path / "vivavoce.toml"
    file.write_text(chat.replace('"token2wav"', '"fake"'))
    assert not broken_references(load_config(file=file))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_a_page_names_is_a_setting(page: Path) -> None:
    for name in re.findall(r"\bVIVAVOCE_[A-Z][A-Z_]*[A-Z]", page.read_text()):
        assert not unknown_variables({name: ""}, Config)


def test_the_configuration_of_the_first_page_serves_every_model(tmp_path: Path) -> None:
    """Its engines are replaced by fake ones of the same names; what it says of models, limits and keys holds."""
    block = next(block for block in blocks(DOCS / "getting-started.md") if block.language == "toml")
    file = tmp_path / "vivavoce.toml"
    file.write_text(block.text)
    config = load_config(file=file)
    models = {name: LanguageModelConfig(engine="fake") for name in config.engines.language_models}
    engines = FAKE_ENGINES.model_copy(update={"language_models": models})
    key = {"Authorization": "Bearer a-long-random-text"}
    with running(config.model_copy(update={"engines": engines})) as server, httpx.Client(headers=key) as client:
        listed = client.get(f"{server.http}/v1/models")
        assert listed.status_code == 200
        assert {"my-model", "step-audio-2-mini"} <= {model["id"] for model in listed.json()["data"]}
        for model in ("my-model", "step-audio-2-mini", "step-audio-r1.1"):
            body = {"model": model, "messages": [{"role": "user", "content": "Hello."}]}
            answer = client.post(f"{server.http}/v1/chat/completions", json=body)
            assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for file, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", re.sub(r"`[^`\n]*`", "", page.read_text())):
        target = page.parent / file if file else page
        assert target.is_file(), file
        if target.suffix == ".png":
            continue
        titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", target.read_text(), flags=re.M | re.S), re.M)
        slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in slugs, anchor
