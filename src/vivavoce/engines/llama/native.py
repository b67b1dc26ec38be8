"""llama.cpp's server, in this process: its parameters, its chat call, and its token counter.

The chat call goes straight into the library. The library also insists on a listener, so it gets a Unix socket in a
folder only this user can enter: no TCP port is opened. The socket is of use for what the library does not offer otherwise:
counting tokens as the chat template makes them, the prompt it makes, and copies of what a slot has read.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vivavoce.engines.llama.private_folder import PrivateFolder
from vivavoce.engines.llama.settings import LlamaSettings
from vivavoce.engines.sentence_end import opened_prompt
from vivavoce.errors import EngineError, WeightsError

ENGINE = "llama"

_SOCKET = "llama.sock"  # the library takes a host name for a Unix socket by this ending
_ASK_TIMEOUT_S = 30.0


class NativeServer:
    """One set of weights with ``slots``. Every method blocks; ``chat`` may run once a slot at a time."""

    def __init__(self, gguf: Path, settings: LlamaSettings, *, slots: int, threads: int) -> None:
        self._folder = PrivateFolder()
        library = _library()
        params = _parameters(library, gguf, settings, slots=slots, threads=threads)
        params.hostnames = [str(self._folder.path / _SOCKET)]
        params.slot_save_path = f"{self._folder.path}/"
        try:
            with ThreadPoolExecutor(1, initializer=_yield_to_others if settings.background else None) as starter:
                self._server = starter.submit(library.Server, params).result()
        except RuntimeError as error:
            self._folder.remove()
            raise EngineError(ENGINE, f"cannot load {gguf}: {error}") from error

    def chat(self, request: Mapping[str, Any], receive: Callable[[dict[str, Any]], bool]) -> None:
        """Run one streaming chat completion; ``receive`` gets each chunk and returns True to stop."""
        self._server.handle_chat_completions(dict(request), receive)

    def continue_message(
        self, request: Mapping[str, Any], receive: Callable[[dict[str, Any]], bool], *, prefix: str
    ) -> None:
        """As ``chat``, but the reply has begun already: the chunks hold what follows ``prefix``, as ``text``.

        llama.cpp can go on with a prompt, but no longer with a chat's last message (its template drops it).
        """
        sampling = dict(request)
        prompt = self._ask("/apply-template", {"messages": sampling.pop("messages")})["prompt"]
        self._server.handle_completions(sampling | {"prompt": prompt + prefix}, receive)

    def continue_user(self, request: Mapping[str, Any], receive: Callable[[dict[str, Any]], bool]) -> None:
        """As ``chat``, but the last message goes on: the chunks hold what its author would say next, as ``text``.

        Raises ``EngineError`` where the template does not show the message as it is.
        """
        sampling = dict(request)
        messages = sampling.pop("messages")
        prompt: str = self._ask("/apply-template", {"messages": messages})["prompt"]
        opened = opened_prompt(prompt, messages[-1]["content"])
        if opened is None:
            raise EngineError(ENGINE, "the chat template changes what a message says")
        self._server.handle_completions(sampling | {"prompt": opened}, receive)

    def count(self, request: Mapping[str, Any]) -> int:
        """Tokens of the prompt that a chat request makes. Raises ``EngineError``."""
        return int(self._ask("/v1/chat/completions/input_tokens", request)["input_tokens"])

    def save_slot(self, slot: int, name: str) -> None:
        """Save what an idle ``slot`` has read under ``name``. Raises ``EngineError``."""
        self._ask(f"/slots/{slot}?action=save", {"filename": name})

    def restore_slot(self, slot: int, name: str) -> None:
        """Let an idle ``slot`` have read what is saved under ``name``. Raises ``EngineError``."""
        self._ask(f"/slots/{slot}?action=restore", {"filename": name})

    def saved_bytes(self, name: str) -> int:
        """How much is saved under ``name``; 0 for nothing."""
        path = self._folder.path / name
        return path.stat().st_size if path.exists() else 0

    def delete_saved(self, name: str) -> None:
        """Delete what is saved under ``name``, if anything is."""
        (self._folder.path / name).unlink(missing_ok=True)

    def _ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the library offers over its socket only."""
        connection = _UnixConnection(self._folder.path / _SOCKET)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineError(ENGINE, f"no answer from {path}: {error}", retriable=True) from error
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise EngineError(ENGINE, f"{path}: {answer.get('error', {}).get('message', response.reason)}")
        return answer

    def close(self) -> None:
        """Free the weights. Idempotent; no call may be running."""
        self._server = None
        self._folder.remove()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ASK_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def find_gguf(folder: Path) -> Path:
    """The one GGUF file in ``folder``. Raises ``WeightsError``."""
    files = sorted(folder.glob("*.gguf"))
    if len(files) != 1:
        raise WeightsError(f"{folder} must hold exactly one .gguf file, it holds {len(files)}")
    return files[0]


def _yield_to_others() -> None:
    """Let the threads started from this one yield to the other engines: what is being said now cannot wait.

    Linux keeps the scheduling class by thread and hands it on to new ones; an idle-class thread makes way as soon as an
    ordinary one of its group wakes up, where a nice one first ends its slice. Elsewhere nothing is changed.
    """
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _library() -> Any:
    """llama.cpp: heavy to import."""
    import xllamacpp

    return xllamacpp


def _parameters(library: Any, gguf: Path, settings: LlamaSettings, *, slots: int, threads: int) -> Any:
    """llama.cpp's parameters (field names as in its ``common/common.h``)."""
    params = library.CommonParams()
    params.model.path = str(gguf)
    params.n_parallel = slots
    params.n_ctx = slots * settings.context_tokens
    params.n_batch = params.n_ubatch = settings.batch_tokens
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.threads or threads
    params.cache_type_k = params.cache_type_v = library.ggml_type[f"GGML_TYPE_{settings.cache_type.upper()}"]
    params.no_extra_bufts = not settings.repack
    modes = library.llama_load_mode
    params.load_mode = modes.LLAMA_LOAD_MODE_MMAP if settings.mmap else modes.LLAMA_LOAD_MODE_NONE
    # Each conversation keeps its slot, so neither a second cache in memory nor context checkpoints can save anything.
    params.cache_ram_mib = 0
    params.cache_idle_slots = False
    params.n_ctx_checkpoints = 0
    params.fit_params = False
    # Tool calls are parsed here (call_stream.py): llama.cpp's parser misses the bare JSON these models write.
    params.use_jinja = True
    params.force_pure_content_parser = True
    params.prefill_assistant = False  # a prompt may end in the assistant's words, and the template would drop them
    params.verbosity = 0
    params.n_threads_http = 1
    params.endpoint_slots = False
    params.ui = False
    return params
