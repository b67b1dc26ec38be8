"""What a machine needs for Vivavoce, one check after the other. Each says what to do when it is not so."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from vivavoce.cli.local_server import Health, check_health, configured_address
from vivavoce.cli.machine import graphics_memory_gb, total_memory_gb, usable_cores
from vivavoce.cli.serve import ListenError, listen, needs_keys
from vivavoce.cli.weights import open_store
from vivavoce.client.live import AudioDeviceError, load_sounddevice
from vivavoce.config import Config
from vivavoce.config.profiles import NO_PROFILE, recommended
from vivavoce.errors import ConfigError, EngineError, StoreError
from vivavoce.http.local import is_loopback
from vivavoce.http.tls import TlsError, tls_files
from vivavoce.models.catalogue import WeightEntry
from vivavoce.models.store import WeightStore
from vivavoce.models.verification_cache import sha256_of
from vivavoce.preflight import broken_references
from vivavoce.runtime.engine_choices import EngineChoice, engine_choices, needed_weights
from vivavoce.runtime.engines import EngineLoader
from vivavoce.store.relocation import DATABASE, pending

Verdict = Literal["ok", "warn", "fail"]

_MIN_PYTHON = (3, 11)
_FREE_MEMORY_BYTES = 4 * 1024**3
_HEARING_TOO_GB = 70
"""Graphics memory, in GB, for a language model of 30B and Step-Audio-2-mini: 48 and 24, as cards tell it."""

_SPARE_DISK_BYTES = 200_000_000

ELSEWHERE = ("openai", "stepfun")
"""The engines that run elsewhere."""

EXAMPLE_KEY = "long-random-text"
"""Part of every key in the documentation."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do about it (empty when it is fine)."""

    name: str
    verdict: Verdict
    detail: str
    advice: str = ""


def check_python(version: Sequence[int]) -> Finding:
    """Python 3.11 or newer."""
    version_text = ".".join(str(part) for part in version[:3])
    if tuple(version[:2]) < _MIN_PYTHON:
        return Finding("Python", "fail", version_text, "Vivavoce needs Python 3.11 or newer.")
    return Finding("Python", "ok", version_text)


def cpu_flags() -> frozenset[str]:
    """Feature flags of an x86 processor, lower case; empty when the system does not tell."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.partition(":") for line in cpuinfo.read_text("utf-8", errors="replace").splitlines())
        return frozenset(next((value.lower().split() for key, _, value in lines if key.strip() == "flags"), []))
    if sys.platform == "darwin":
        keys = ("machdep.cpu.features", "machdep.cpu.leaf7_features")
        sysctl = subprocess.run(["/usr/sbin/sysctl", "-n", *keys], capture_output=True, text=True, check=False)
        return frozenset(sysctl.stdout.lower().split())
    return frozenset()


def check_cpu(machine: str, flags: frozenset[str], cores: int) -> Finding:
    """AVX2 on x86: the prebuilt language model engine is compiled for it. ARM needs nothing special."""
    detail = f"{machine}, {cores} cores"
    if machine.lower() in ("x86_64", "amd64"):
        if not flags:
            return Finding("CPU", "warn", detail, "Cannot tell whether the processor has AVX2, which the engines need.")
        if "avx2" not in flags:
            return Finding("CPU", "fail", detail, "The prebuilt engines need AVX2, which this processor does not have.")
        detail += ", AVX2"
    if cores < 2:
        return Finding("CPU", "warn", detail, "With one core replies come late; two are enough.")
    return Finding("CPU", "ok", detail)


def check_memory(free_bytes: int) -> Finding:
    """4 GB free: both language models loaded, and four conversations."""
    detail = f"{free_bytes / 1024**3:.1f} GB free"
    if free_bytes < _FREE_MEMORY_BYTES:
        advice = "4 GB are suggested. Close something, or set both language models alike (docs/getting-started.md)."
        return Finding("memory", "warn", detail, advice)
    return Finding("memory", "ok", detail)


def check_profile(memory_gb: float, cores: int, graphics_gb: float) -> Finding:
    """Which profile is for this machine."""
    profile = recommended(memory_gb, cores, graphics_gb)
    card = f", {graphics_gb:.0f} GB of graphics memory" if graphics_gb else ""
    here = f"here are {memory_gb:.0f} GB, {cores} cores{card}"
    detail = f"{profile.name} ({profile.what}): takes {profile.memory_gb:g} GB; {here}"
    advice = "" if profile.name == NO_PROFILE else f"vivavoce serve --profile {profile.name}"
    if profile.graphics_gb and graphics_gb >= _HEARING_TOO_GB:
        advice += "; there is room for Step-Audio-2-mini, too: vivavoce profiles gpu"
    return Finding("profile", "ok", detail, advice)


def check_configuration(config: Config) -> list[Finding]:
    """All that the configuration names is there."""
    broken = broken_references(config)
    findings = [Finding("configuration", "fail", wrong, "See docs/getting-started.md, Configure.") for wrong in broken]
    return findings or [Finding("configuration", "ok", "all it names is there")]


def check_weights(config: Config) -> list[Finding]:
    """Every weight is there and, hashed again, right."""
    store = open_store(config)
    findings: list[Finding] = []
    for entry in _needed(config, store):
        name = entry.name
        folder = store.find(entry)
        if folder is None:
            findings.append(Finding(f"weights {name}", "fail", "missing", f"vivavoce models pull {name}"))
        elif any(sha256_of(folder / file.name) != file.sha256 for file in entry.files):
            findings.append(Finding(f"weights {name}", "fail", f"wrong bytes in {folder}", "vivavoce models verify"))
        else:
            findings.append(Finding(f"weights {name}", "ok", "present, verified"))
    return findings


def _needed(config: Config, store: WeightStore) -> list[WeightEntry]:
    """What the engines open; those that cannot tell, and what nobody has, are among the findings on the configuration."""
    names: list[str] = []
    for choice in engine_choices(config):
        with suppress(EngineError):
            names += needed_weights([choice])
    there = {entry.name: entry for entry in store.catalogue.weights}
    return [there[name] for name in dict.fromkeys(names) if name in there]


def check_disk(config: Config) -> Finding:
    """Room for the weights that are still missing."""
    store = open_store(config)
    entries = _needed(config, store)
    needed = sum(file.size_bytes for entry in entries if not store.find(entry) for file in store.missing(entry))
    folder = next(folder for folder in (config.weights_folder, *config.weights_folder.parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:.1f} GB free at {folder}, {needed / 1e9:.1f} GB to pull"
    if needed and free < needed + _SPARE_DISK_BYTES:
        return Finding("disk", "fail", detail, "Free some room, or set VIVAVOCE_HOME to a folder on another disk.")
    return Finding("disk", "ok", detail)


def check_engines_elsewhere(config: Config) -> list[Finding]:
    """Those that run elsewhere answer. They are asked what costs nothing."""
    loader = EngineLoader(config)
    return [
        Finding(
            f"engine {choice.model or choice.name}",
            "warn",
            reason,
            "Start it, or look at its url, its key and the name of the model.",
        )
        if (reason := asyncio.run(_unusable(loader, choice)))
        else Finding(f"engine {choice.model or choice.name}", "ok", "answers")
        for choice in engine_choices(config)
        if choice.engine in ELSEWHERE
    ]


async def _unusable(loader: EngineLoader, choice: EngineChoice) -> str | None:
    try:
        engine = await asyncio.to_thread(loader.load, choice)
    except EngineError as error:
        return str(error)
    try:
        return await loader.health[choice.model or choice.name]()
    finally:
        await engine.close()


def check_data_folder(config: Config) -> Finding:
    """Where rows and files are kept can be written, and holds what earlier versions kept elsewhere."""
    folder = config.data_folder
    there = next(candidate for candidate in (folder, *folder.parents) if candidate.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding("data folder", "fail", f"{folder} cannot be written", "Set VIVAVOCE_HOME to one that can.")
    if unmoved := pending(config):
        detail = f"{folder}; of an earlier version: {', '.join(map(str, unmoved))}"
        advice = (
            "The next `vivavoce serve` moves it. A database for which there is one already stays unused: delete it."
        )
        return Finding("data folder", "warn", detail, advice)
    return Finding("data folder", "ok", str(folder))


def check_access(config: Config) -> Finding:
    """Who reaches the server needs a key, or is on this machine, or is let in on purpose."""
    owners = {owner for owner, key in config.auth.keys.items() if EXAMPLE_KEY in key.get_secret_value()}
    if owners:
        return Finding(
            "keys", "warn", f"that of {', '.join(sorted(owners))} is an example", "Everybody can read it: choose one."
        )
    if config.storage.url is None and not (config.data_folder / DATABASE).exists():
        locked = bool(config.auth.keys)  # nothing is created only to be looked at
        if not (locked or is_loopback(config.host) or config.auth.open):
            return Finding("keys", "fail", f"none, and others reach {config.host}", "vivavoce keys create me")
    else:
        try:
            locked = needs_keys(config)
        except (ConfigError, StoreError) as error:
            return Finding("keys", "fail", str(error))
    return Finding(
        "keys", "ok", "needed" if locked else f"none; open to {'everybody' if config.auth.open else 'this machine'}"
    )


def check_tls(config: Config) -> list[Finding]:
    """A configured certificate can be used; one of our own is made at the start."""
    if config.tls.cert is None:
        return []
    try:
        tls_files(config)
    except TlsError as error:
        return [Finding("TLS", "fail", str(error))]
    return [Finding("TLS", "ok", f"{config.tls.cert}")]


def check_audio() -> Finding:
    """A microphone and a loudspeaker, for ``vivavoce talk`` without a recording."""
    try:
        devices = list(load_sounddevice().query_devices())
    except AudioDeviceError as error:
        return Finding("audio devices", "warn", "not available", str(error))
    inputs = sum(device["max_input_channels"] > 0 for device in devices)
    outputs = sum(device["max_output_channels"] > 0 for device in devices)
    detail = f"{inputs} to record with, {outputs} to play with"
    if not inputs or not outputs:
        advice = "`vivavoce talk question.wav --out reply.wav` works without; a server needs none."
        return Finding("audio devices", "warn", detail, advice)
    return Finding("audio devices", "ok", detail)


def check_port(config: Config) -> Finding:
    """The server's port is free, or the server is there already."""
    name = f"port {config.port}"
    health = asyncio.run(check_health(configured_address(config)))
    if health is not Health.ABSENT:
        verdict: Verdict = "fail" if health is Health.FAILED else "ok"
        return Finding(name, verdict, f"Vivavoce runs on {config.host}: {health.value}", "")
    try:
        listen(config.host, config.port).close()
    except ListenError as error:
        return Finding(name, "warn", str(error))
    return Finding(name, "ok", f"free on {config.host}")


def check_npm() -> Finding:
    """npm is one fallback source of the Kokoro voices; nothing else needs it."""
    path = shutil.which("npm")
    if path is None:
        advice = "Only needed when no other source of the Kokoro voices answers."
        return Finding("npm", "warn", "not installed", advice)
    return Finding("npm", "ok", path)


def all_findings(config: Config) -> list[Finding]:
    """Every check of this machine, in the order to read them. Blocking: verifying weights reads them all."""
    configuration = check_configuration(config)
    usable = all(finding.verdict == "ok" for finding in configuration)  # else nobody knows which weights it needs
    return [
        check_python(sys.version_info[:3]),
        check_cpu(platform.machine(), cpu_flags(), psutil.cpu_count() or 1),
        check_memory(psutil.virtual_memory().available),
        check_profile(total_memory_gb(), usable_cores(), graphics_memory_gb()),
        *configuration,
        check_data_folder(config),
        check_access(config),
        *check_tls(config),
        *([check_disk(config), *check_weights(config), *check_engines_elsewhere(config)] if usable else ()),
        check_audio(),
        check_port(config),
        check_npm(),
    ]
