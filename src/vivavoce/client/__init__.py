"""The client's side of a Realtime conversation: a socket, a microphone made of samples, and a model of the playback.

async with connect("ws://127.0.0.1:8080", model="step-audio-2") as client:
    await client.update_session({"voice": "linjiajiejie"})
    turn = await speak_turn(client, read_audio(Path("question.wav")))
    write_wav(Path("reply.wav"), turn.record.reply.playout.samples)
"""

from vivavoce.client.connection import RealtimeClient, connect
from vivavoce.client.errors import ConnectError, RecordingError
from vivavoce.client.events import ReceivedEvent
from vivavoce.client.playout import Playout
from vivavoce.client.record import HeardReply, SpokenUtterance, TurnRecord
from vivavoce.client.recording import read_audio, speech_end_ms, write_wav
from vivavoce.client.streaming import MicrophoneStream
from vivavoce.client.turn import ClientTurn, speak_turn, text_turn

__all__ = [
    "ClientTurn",
    "ConnectError",
    "HeardReply",
    "MicrophoneStream",
    "Playout",
    "RealtimeClient",
    "ReceivedEvent",
    "RecordingError",
    "SpokenUtterance",
    "TurnRecord",
    "connect",
    "read_audio",
    "speak_turn",
    "speech_end_ms",
    "text_turn",
    "write_wav",
]
