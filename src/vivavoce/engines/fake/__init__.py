"""Engines that answer at once and always the same: for protocol tests, and for the tests of those who build on Vivavoce.

``vivavoce serve --engines fake`` runs the whole server on them, without weights:

* speech is whatever is louder than a whisper (RMS above ``LOUD``);
* an utterance is transcribed as ``I heard 1200 milliseconds.``, silence as nothing; its words all last equally long;
* the reply repeats what the user (or a tool) said last: ``You said: …``, word by word, going on with one that has begun;
* a message ``call NAME {…}`` calls that tool, unless it is what a tool said; ``say WORDS and call NAME {…}`` says them first;
  where a call is required (or one tool is named) it is called without being asked, with the least its schema takes;
* JSON is the least its schema takes; every token is as likely as not; a reply ends before a stop;
* the voice is a tone of 50 ms a character; with ``fake_clone`` among the synthesizers, one of the pitch of a clip;
* texts that share words are alike; a character of Chinese counts as a word;
* a speaker has finished (0.99) unless the last ``TAIL_MS`` are loud (0.1);
* a model that hears repeats how long it was spoken to (``You said: 1200 ms of sound.``), in words and in two tokens a character
  (``speaks = "none"`` in its settings: in words only); its decoder hums 40 ms a token;
* whoever is louder than 0.9 of full scale sounds angry, and nobody sounds otherwise;
* a voice is its pitch: two of the same pitch are the same speaker, a third apart they are two.
"""

from __future__ import annotations

from vivavoce.engines.base import EngineContext
from vivavoce.engines.fake.audio_chat import TOKEN_MS, TOKENS_PER_CHARACTER, FakeAudioChat, FakeAudioTokenDecoder
from vivavoce.engines.fake.embedder import FakeEmbedder
from vivavoce.engines.fake.end_of_turn import TAIL_MS, FakeEndOfTurnModel
from vivavoce.engines.fake.failure import FAILURE
from vivavoce.engines.fake.language_model import FakeLanguageModel
from vivavoce.engines.fake.perceiver import FakePerceiver
from vivavoce.engines.fake.recognizer import FakeRecognizer
from vivavoce.engines.fake.signals import LOUD
from vivavoce.engines.fake.speaker_verifier import FakeSpeakerVerifier
from vivavoce.engines.fake.speech_detector import FakeSpeechDetector, FakeVadStream
from vivavoce.engines.fake.synthesizer import CHARACTER_MS, FAKE_VOICES_HZ, FakeCloningSynthesizer, FakeSynthesizer

__all__ = [
    "CHARACTER_MS",
    "FAILURE",
    "FAKE_VOICES_HZ",
    "LOUD",
    "TAIL_MS",
    "TOKENS_PER_CHARACTER",
    "TOKEN_MS",
    "FakeAudioChat",
    "FakeAudioTokenDecoder",
    "FakeCloningSynthesizer",
    "FakeEmbedder",
    "FakeEndOfTurnModel",
    "FakeLanguageModel",
    "FakePerceiver",
    "FakeRecognizer",
    "FakeSpeakerVerifier",
    "FakeSpeechDetector",
    "FakeSynthesizer",
    "FakeVadStream",
]


def load_speech_detector(context: EngineContext) -> FakeSpeechDetector:
    """Entry point."""
    return FakeSpeechDetector()


def load_recognizer(context: EngineContext) -> FakeRecognizer:
    """Entry point."""
    return FakeRecognizer()


def load_language_model(context: EngineContext) -> FakeLanguageModel:
    """Entry point."""
    return FakeLanguageModel(context.capacity)


def load_synthesizer(context: EngineContext) -> FakeSynthesizer:
    """Entry point."""
    return FakeSynthesizer()


def load_cloning_synthesizer(context: EngineContext) -> FakeCloningSynthesizer:
    """Entry point."""
    return FakeCloningSynthesizer()


def load_end_of_turn_model(context: EngineContext) -> FakeEndOfTurnModel:
    """Entry point."""
    return FakeEndOfTurnModel()


def load_speaker_verifier(context: EngineContext) -> FakeSpeakerVerifier:
    """Entry point."""
    return FakeSpeakerVerifier()


def load_embedder(context: EngineContext) -> FakeEmbedder:
    """Entry point."""
    return FakeEmbedder()


def load_perceiver(context: EngineContext) -> FakePerceiver:
    """Entry point."""
    return FakePerceiver()


def load_audio_chat(context: EngineContext) -> FakeAudioChat:
    """Entry point."""
    return FakeAudioChat(context.capacity, **context.settings)


def load_audio_token_decoder(context: EngineContext) -> FakeAudioTokenDecoder:
    """Entry point."""
    return FakeAudioTokenDecoder()
