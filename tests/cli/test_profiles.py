"""Profiles: each loads, its weights are in the catalogue, and the one for a machine is recommended."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from vivavoce.cli import app
from vivavoce.cli.checks import check_profile
from vivavoce.cli.machine import graphics_memory_gb
from vivavoce.cli.weights import weights_of
from vivavoce.config import load_config
from vivavoce.config.profiles import PROFILES, recommended
from vivavoce.errors import ConfigError
from vivavoce.models.catalogue import load_catalogue
from vivavoce.preflight import broken_references


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_can_work_and_its_weights_are_known(name: str) -> None:
    config = load_config(profile=name)
    assert not broken_references(config)
    catalogue = load_catalogue()
    sizes = [file.size_bytes for weights in weights_of(config) for file in catalogue.entry(weights).files]
    assert sum(sizes) / 1e9 == pytest.approx(PROFILES[name].disk_gb, abs=0.3)


def test_what_the_profile_of_graphics_cards_offers_besides_can_work(tmp_path: Path) -> None:
    written = PROFILES["gpu"].file.read_text()
    assert written.count("\n#:") > 10
    file = tmp_path / "vivavoce.toml"
    file.write_text(written.replace("\n#:", "\n"))
    config = load_config(file=file)
    assert config.tiers.served_by["step-audio-2-mini"].model == "mini"
    assert config.engines.audio_chats["mini"].fallback == "small"
    assert not broken_references(config)


def test_the_default_is_what_is_so_without_one(tmp_path: Path) -> None:
    (tmp_path / "copy.toml").write_bytes(PROFILES["default"].file.read_bytes())
    assert load_config(file=tmp_path / "copy.toml").engines == load_config(profile="default").engines
    assert load_config(profile="default").engines == load_config().engines


def test_a_profile_is_printed_and_can_be_copied(tmp_path: Path) -> None:
    listed = CliRunner().invoke(app, ["profiles"])
    assert all(name in listed.output for name in PROFILES)
    assert listed.output.count("for this machine") == 1
    printed = CliRunner().invoke(app, ["profiles", "better"])
    (tmp_path / "mine.toml").write_text(printed.output)
    assert load_config(file=tmp_path / "mine.toml").model_dump() == load_config(profile="better").model_dump()
    nobody = CliRunner().invoke(app, ["profiles", "bigger"])
    assert nobody.exit_code == 2
    assert CliRunner().invoke(app, ["doctor", "--profile", "bigger"]).exit_code == 2
    assert CliRunner().invoke(app, ["doctor", "--profile", "better", "--engines", "fake"]).exit_code == 2


def test_what_a_file_says_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "vivavoce.toml"
    file.write_text(
        '[engines.language_models.large]\nengine = "openai"\nsettings = { url = "http://10.0.0.5/v1", model = "m" }\n'
        "[limits]\nsessions = 9\n"
    )
    config = load_config(profile="pocket")
    large, small = config.engines.language_models["large"], config.engines.language_models["small"]
    assert (large.engine, large.weights, config.limits.sessions) == ("openai", None, 9)
    assert small.weights == "qwen2.5-coder-0.5b"
    file.write_text("[engines.language_models.large.settings]\ncontext_tokens = 2048\n")
    large = load_config(profile="pocket").engines.language_models["large"]
    assert large.weights == "qwen2.5-coder-0.5b"
    assert (large.settings["context_tokens"], large.settings["talk"]) == (2048, 0.5)
    fake = {"engines": {"language_models": {"large": {"engine": "fake"}}}}
    assert load_config(fake, profile="pocket").engines.language_models["large"].weights is None
    with pytest.raises(ValueError, match="no profile 'bigger'; there are pocket"):
        load_config(profile="bigger")


@pytest.mark.parametrize(
    ("memory_gb", "cores", "graphics_gb", "name"),
    [
        (2, 2, 0, "pocket"), (4, 2, 0, "default"), (8, 2, 0, "default"), (8, 4, 0, "better"), (32, 8, 0, "better"),
        (32, 8, 24, "gpu"), (8, 8, 24, "better"), (32, 8, 8, "better"), (1, 1, 0, "pocket"),
    ],
)  # fmt: skip
def test_the_doctor_recommends_one(memory_gb: float, cores: int, graphics_gb: float, name: str) -> None:
    assert recommended(memory_gb, cores, graphics_gb).name == name
    finding = check_profile(memory_gb, cores, graphics_gb)
    assert finding.detail.startswith(f"{name} (")
    assert f"takes {PROFILES[name].memory_gb:g} GB" in finding.detail
    assert finding.advice == ("" if name == "default" else f"vivavoce serve --profile {name}")


def test_the_doctor_says_what_a_large_graphics_card_has_room_for() -> None:
    assert "Step-Audio-2-mini" in check_profile(64, 16, 80).advice
    assert "80 GB of graphics memory" in check_profile(64, 16, 80).detail
    assert "Step-Audio-2-mini" not in check_profile(64, 16, 48).advice


@pytest.mark.parametrize(
    ("tool", "says", "gb"),
    [
        ("nvidia-smi", "24564\n24564\n", 48.0),
        ("nvidia-smi", "[N/A]\n", 0.0),
        ("nvidia-smi", "", 0.0),
        ("rocm-smi", '{"card0": {"VRAM Total Memory (B)": "25753026560", "VRAM Total Used Memory (B)": "1"}}', 24.0),
        ("rocm-smi", "no cards", 0.0),
    ],
)
def test_the_memory_of_graphics_cards_is_what_their_driver_tells(
    tool: str, says: str, gb: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / tool
    (tmp_path / "says").write_text(says)
    program.write_text(f"#!/bin/sh\nexec /bin/cat {tmp_path}/says\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert graphics_memory_gb() == pytest.approx(gb, abs=0.1)


def test_without_a_driver_there_is_no_graphics_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert graphics_memory_gb() == 0


def test_an_unknown_profile_is_a_mistake_of_the_command() -> None:
    from vivavoce.cli.options import EngineSet, read_config

    with pytest.raises(ConfigError, match="no profile"):
        read_config(engines=EngineSet.LOCAL, file=None, profile="bigger")
