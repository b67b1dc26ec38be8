"""Answers to questions about the sound: what is known in words, how sure it is, and what cannot be told. Pure.

Small language models that are handed facts add to them. So the answer is written here, and they are told to say it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from vivavoce.perception.answer_words import EMOTIONS, LANGUAGES, WORDS, AnswerWords
from vivavoce.perception.questions import Topic
from vivavoce.perception.sound_words import SOUND_WORDS
from vivavoce.types import Language
from vivavoce.voice_facts import VoiceFacts

HEARD, UNHEARD = 0.4, 0.1
"""Scores from which on, and below which, music or singing is told; between, it is owned up to that it is not sure."""

SURE, FAIRLY_SURE = 0.9, 0.6
SURE_LANGUAGE = 0.8
FAST_PER_S, SLOW_PER_S = 5.5, 3.0
LOUDER_DB = 4.0
MOST_SOUNDS = 3

ORDER: tuple[Topic, ...] = (
    "heard", "voice", "mood", "rate", "loudness", "pitch", "language", "music", "singing", "sounds",
    "gender", "age", "accent", "identity", "number",
)  # fmt: skip

MOST_TOPICS = 3
"""So many things are told at once."""


def answer(facts: VoiceFacts, topics: frozenset[Topic], named: str | None, language: Language) -> str:
    """What is to be said, a sentence for each topic, in the question's language (English for those without words of their own).

    ``named`` is the group of sounds that is asked for by name, if one is.
    """
    words = WORDS.get(language, WORDS["en"])
    telling = _Telling(facts, words, named)
    asked = [topic for topic in ORDER if topic in topics][:MOST_TOPICS]
    sentences = dict.fromkeys(sentence for topic in asked for sentence in telling.about(topic))
    return words.between.join(sentences)


class _Telling:
    """The sentences for one question."""

    def __init__(self, facts: VoiceFacts, words: AnswerWords, named: str | None) -> None:
        self._facts, self._words, self._named = facts, words, named
        self._tellers: Mapping[Topic, Callable[[], Iterator[str]]] = {
            "heard": self._heard, "voice": self._voice, "mood": self._mood, "rate": self._rate, "loudness": self._loudness,
            "pitch": self._pitch, "language": self._language, "music": self._music, "singing": self._singing,
            "sounds": self._sounds, "gender": self._gender,
        }  # fmt: skip

    def about(self, topic: Topic) -> Iterator[str]:
        """The sentences about one thing. Of age, accents and persons a voice tells nothing here."""
        teller = self._tellers.get(topic)
        yield from teller() if teller is not None else (self._words.unknown[topic],)

    def _heard(self) -> Iterator[str]:
        facts = self._facts
        if facts.language is not None or (facts.music is not None and facts.music.speech >= HEARD):
            yield self._words.somebody_speaks
        yield from self._sounds()

    def _voice(self) -> Iterator[str]:
        yield from self._mood()
        yield from (sentence for sentence in self._rate() if sentence != self._words.unknown["rate"])

    def _mood(self) -> Iterator[str]:
        emotion = self._facts.emotion
        if emotion is not None:
            yield self._words.mood.format(EMOTIONS[emotion.label][self._words.column])
        else:
            yield self._words.unknown["mood"]
        yield from (self._words.cues[cue] for cue in self._facts.cues if cue in self._words.cues)

    def _rate(self) -> Iterator[str]:
        prosody = self._facts.prosody
        rate = prosody.syllables_per_s if prosody is not None else None
        if prosody is None or rate is None:
            yield self._words.unknown["rate"]
            return
        speed = 0 if rate < SLOW_PER_S else 2 if rate > FAST_PER_S else 1
        yield self._words.rate[speed].format(round(rate))
        if "fast" in self._facts.cues or "slow" in self._facts.cues:
            yield self._words.cues["fast" if "fast" in self._facts.cues else "slow"]

    def _loudness(self) -> Iterator[str]:
        prosody = self._facts.prosody
        change = prosody.level_delta_db if prosody is not None else None
        if change is None:
            yield self._words.unknown["loudness"]
        else:
            yield self._words.loudness[0 if change < -LOUDER_DB else 2 if change > LOUDER_DB else 1]

    def _pitch(self) -> Iterator[str]:
        prosody = self._facts.prosody
        if prosody is None or prosody.f0_hz is None:
            yield self._words.unknown["pitch"]
        else:
            yield self._words.pitch.format(round(prosody.f0_hz, -1))

    def _language(self) -> Iterator[str]:
        language = self._facts.language
        names = None if language is None else LANGUAGES.get(language.label)
        if language is None or names is None or language.score < SURE_LANGUAGE:
            yield self._words.unknown["language"]
        else:
            yield self._sure(self._words.language.format(names[self._words.column]), language.score)

    def _music(self) -> Iterator[str]:
        yield from self._kind("music", "Music")

    def _singing(self) -> Iterator[str]:
        yield from self._kind("singing", "Singing")

    def _kind(self, name: Topic, label: str) -> Iterator[str]:
        music = self._facts.music
        if music is None:
            yield self._words.unknown[name]
            return
        score = float(getattr(music, name))
        if score >= HEARD:
            yield self._sure(self._words.hears.format(self._name(label)), score)
        elif score < UNHEARD:
            yield self._words.hears_not.format(self._name(label))
        else:
            yield self._words.not_sure.format(self._name(label))

    def _sounds(self) -> Iterator[str]:
        facts, words = self._facts, self._words
        if facts.music is None and not facts.sounds:
            yield words.unknown["sounds"]
            return
        surest: dict[str, float] = {}
        for sound in sorted(facts.sounds, key=lambda sound: -sound.score):
            surest.setdefault(sound.label, sound.score)
        if self._named is not None and self._named not in surest:
            yield words.hears_not.format(self._name(self._named))
            yield from self._missed()
        told = [label for label in surest if label == self._named] or list(surest)[:MOST_SOUNDS]
        if told:
            yield self._sure(words.hears.format(self._listed(told)), min(surest[label] for label in told))
        elif self._named is None:
            yield words.nothing_else
            yield from self._missed()

    def _missed(self) -> Iterator[str]:
        """Speech hides what sounds at the same time, but for music."""
        if self._facts.music is not None and self._facts.music.speech >= HEARD:
            yield self._words.could_miss

    def _gender(self) -> Iterator[str]:
        speaker = self._facts.speaker
        if speaker is None:
            yield self._words.unknown["gender"]
        else:
            yield self._words.gender[speaker.gender.label]

    def _listed(self, labels: Sequence[str]) -> str:
        *before, last = map(self._name, labels)
        return self._words.also.join((self._words.comma.join(before), last)) if before else last

    def _name(self, label: str) -> str:
        names = SOUND_WORDS.get(label)
        return label.lower() if names is None else (names.en, names.zh, names.ja)[self._words.column]

    def _sure(self, sentence: str, score: float) -> str:
        """The sentence, with how sure it is."""
        told = self._words.sure[0 if score >= SURE else 1 if score >= FAIRLY_SURE else 2].format(sentence)
        return told[0].upper() + told[1:]
