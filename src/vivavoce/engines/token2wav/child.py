"""The process that decodes; ``vivavoce.children`` confines it before it is imported.

It loads the files its first frame names, and says whether that went well. Then the server begins replies, each with a
number and its clip, sends their tokens as they come, and says when there are no more, or that a reply is not wanted any
more. Replies take turns, a chunk each. Before every step of the flow it looks whether the reply is still wanted.

PyTorch is imported when the files are: what is wrong with it is told as any other error.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cachetools

from vivavoce.children.frames import read_frame, write_frame
from vivavoce.types import Samples

if TYPE_CHECKING:
    from vivavoce.engines.token2wav.flow import Voice
    from vivavoce.engines.token2wav.prompt import PromptReader
    from vivavoce.engines.token2wav.speech_stream import Networks, SpeechStream

MAX_REASON = 1000
"""Characters of an error."""


class _UnwantedError(Exception):
    """Nobody waits for the reply any more."""


class _Reply:
    """What has come of a reply, and what has become of it. ``fresh`` tokens are not in its ``stream`` yet."""

    def __init__(self, voice: str, clip: Samples) -> None:
        self.voice = voice
        self.clip = clip
        self.fresh: list[int] = []
        self.ended = False
        self.wanted = True
        self.stream: SpeechStream | None = None

    def check(self) -> None:
        """Raises ``_UnwantedError`` when it is not wanted."""
        if not self.wanted:
            raise _UnwantedError


class DecodingWorker:
    """Makes replies. A thread of its own reads frames, so that tokens and stops are heard while the networks work."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._replies: dict[int, _Reply] = {}
        """The one whose turn it is comes first."""
        self._changed = threading.Condition()

    def run(self) -> None:
        """Load the networks, then make replies until the server has gone."""
        first = read_frame(self._incoming)
        if first is None:
            return
        request = first[0]
        try:
            networks, read_prompt = load(request)
        except Exception as error:  # noqa: BLE001
            write_frame(self._outgoing, {"error": _reason(error)})
            return
        write_frame(self._outgoing, {"ready": True})
        voices: cachetools.LRUCache[str, Voice] = cachetools.LRUCache(request["cached_voices"])
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            number, reply = self._next()
            self._advance(number, reply, networks, read_prompt, voices)

    def _listen(self) -> None:
        while (frame := read_frame(self._incoming)) is not None:
            header, clip = frame
            with self._changed:
                self._heard(header, clip)
                self._changed.notify()
        os._exit(0)

    def _heard(self, header: dict[str, Any], clip: Samples) -> None:
        if "voice" in header:
            self._replies[header["number"]] = _Reply(header["voice"], clip)
        elif reply := self._replies.get(header["number"]):  # else it has ended, or failed
            reply.fresh += header.get("tokens", ())
            reply.ended |= header.get("last", False)
            reply.wanted &= not header.get("stop", False)

    def _next(self) -> tuple[int, _Reply]:
        """A reply with something to do, its tokens in its stream. Those that are not wanted are forgotten."""
        with self._changed:
            while True:
                self._replies = {number: reply for number, reply in self._replies.items() if reply.wanted}
                for number, reply in self._replies.items():
                    if self._has_work(reply):
                        self._replies[number] = self._replies.pop(number)
                        return number, reply
                self._changed.wait()

    def _has_work(self, reply: _Reply) -> bool:
        return reply.stream is None or reply.stream.ready or bool(reply.fresh) or reply.ended

    def _advance(
        self,
        number: int,
        reply: _Reply,
        networks: Networks,
        read_prompt: PromptReader,
        voices: cachetools.LRUCache[str, Voice],
    ) -> None:
        """Read the reply's voice, or make its next chunk."""
        try:
            if reply.stream is None:
                reply.stream = _stream(reply, networks, read_prompt, voices)
                return
            with self._changed:
                reply.stream.add(reply.fresh)
                reply.fresh = []
                if reply.ended:
                    reply.stream.end()
            if reply.stream.ready:
                write_frame(self._outgoing, {"number": number}, reply.stream.chunk(reply.check))
            if not reply.stream.finished:
                return
            answer: dict[str, Any] = {"number": number, "end": True}
        except _UnwantedError:
            return
        except Exception as error:  # noqa: BLE001
            answer = {"number": number, "error": _reason(error)}
        with self._changed:
            self._replies.pop(number, None)
        write_frame(self._outgoing, answer)


def load(request: dict[str, Any]) -> tuple[Networks, PromptReader]:
    """The networks in the folder that is named. Raises whatever PyTorch and ONNX Runtime do, ``ValueError``, ``OSError``."""
    import torch

    from vivavoce.engines.token2wav.flow_config import read_flow_config
    from vivavoce.engines.token2wav.prompt import PromptReader
    from vivavoce.engines.token2wav.speech_stream import Networks
    from vivavoce.engines.token2wav.weights import load_flow, load_vocoder

    torch.set_num_threads(request["threads"])
    files = {name: Path(path) for name, path in request["files"].items()}
    config = read_flow_config(files["flow.yaml"])
    networks = Networks(
        load_flow(files["flow.pt"], config, request["steps"]),
        load_vocoder(files["hift.pt"], config.output_size),
        request["chunk_tokens"],
    )
    tokenizer, speaker_encoder = files["speech_tokenizer_v2_25hz.onnx"], files["campplus.onnx"]
    return networks, PromptReader(tokenizer, speaker_encoder, config, request["threads"])


def _stream(
    reply: _Reply, networks: Networks, read_prompt: PromptReader, voices: cachetools.LRUCache[str, Voice]
) -> SpeechStream:
    from vivavoce.engines.token2wav.speech_stream import SpeechStream

    voice = voices.get(reply.voice)
    if voice is None:
        voice = voices[reply.voice] = networks.flow.voice(read_prompt(reply.clip), reply.check)
    return SpeechStream(networks, voice)


def _reason(error: Exception) -> str:
    words = str(error).strip() or type(error).__name__
    return (words if isinstance(error, ValueError) else f"{type(error).__name__}: {words}")[:MAX_REASON]


def main(_unavailable: Sequence[str]) -> None:
    """Keep standard output for frames; what libraries print goes to standard error."""
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    DecodingWorker(sys.stdin.buffer, outgoing).run()
