"""Questions about the sound: which are some, what they ask for, and that their answers tell no more than is known."""

from __future__ import annotations

import re
import time
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.perception.answer_words import WORDS
from vivavoce.perception.answers import answer
from vivavoce.perception.notes import note_for_question
from vivavoce.perception.questions import Topic, asks_about_sound, named_sound, topics_of
from vivavoce.perception.sound_groups import LABELS
from vivavoce.perception.sound_words import SOUND_WORDS
from vivavoce.voice_facts import Emotion, Gender, Labelled, Prosody, Sound, SoundKinds, Speaker, VoiceFacts

ASKED: dict[str, Topic] = {
    "What do you hear?": "heard", "How do I sound?": "voice", "Do I sound tired today?": "mood", "Guess my mood.": "mood",
    "Am I speaking too fast?": "rate", "How fast am I talking?": "rate", "How loud am I?": "loudness",
    "What language am I speaking?": "language", "Which language is this?": "language", "Is that music?": "music",
    "Is there any music in the background?": "music", "Is somebody singing?": "singing", "What sound is that?": "sounds",
    "What else is in the background?": "sounds", "What animal is that?": "sounds", "Is there a dog barking?": "sounds",
    "Is a man or a woman speaking?": "gender", "Am I a man or a woman?": "gender", "How old am I?": "age",
    "Do I have an accent?": "accent", "Who is speaking?": "identity", "How many people are speaking?": "number",
    "你听到了什么？": "heard", "我听起来怎么样？": "voice", "我的语气怎么样？": "mood", "我说话是不是太快了？": "rate",
    "我说的是什么语言？": "language", "背景里有没有音乐？": "music", "这是什么声音？": "sounds", "听到警报声了吗": "sounds",
    "说话的是男的还是女的？": "gender", "谁在说话？": "identity", "你听得出我的声音吗？我今年几岁？": "age",
    "何が聞こえますか？": "heard", "私の声はどう聞こえますか？": "voice", "何語を話していますか？": "language",
    "犬の声が聞こえますか？": "sounds",
}  # fmt: skip

OTHERS = (
    "What sound does a cow make?", "Is there a bus to town?", "Is that a good car?", "Where is my phone?",
    "How fast is light?", "How old is the king of Spain?", "What language is spoken in Brazil?", "Can you hear me?",
    "Do men or women live longer?", "Who is speaking at the conference tomorrow?", "How do I feel better?",
    "How many people are there in China?", "Is there a song about love?", "My boss wrote to me. Is he angry?",
    "Am I old enough to drive?", "Who am I?", "How do I get to the station?", "That sounds good.", "Play some music.",
    "Speak slower.", "说得慢一点", "你能说得慢一点吗？", "有什么好听的音乐吗", "Python是什么语言", "狗发出什么声音",
    "有风吗？", "有车吗？", "放一首歌。", "我想听音乐。", "四川话怎么说", "何歳ですか",
)  # fmt: skip


@pytest.mark.parametrize(("text", "topic"), ASKED.items())
def test_a_question_about_the_sound_is_known_by_what_it_asks(text: str, topic: Topic) -> None:
    assert topic in topics_of(text)


@pytest.mark.parametrize("text", OTHERS)
def test_other_sentences_are_none(text: str) -> None:
    assert not asks_about_sound(text)


@pytest.mark.parametrize(
    ("text", "label"),
    [("Is that a dog?", "Dog"), ("Do you hear the baby crying?", "Baby cry"), ("Was that a gunshot?", "Explosion"),
     ("有狗叫吗？", "Dog"), ("犬の声が聞こえますか？", "Dog"), ("What is that?", None), ("Is that music?", None)],
)  # fmt: skip
def test_a_sound_that_is_named_is_looked_for(text: str, label: str | None) -> None:
    assert named_sound(text) == label


def test_every_group_of_sounds_has_words_and_no_other_has() -> None:
    assert set(SOUND_WORDS) == set(LABELS)


@pytest.mark.parametrize("language", WORDS)
def test_every_topic_can_be_owned_up_to(language: str) -> None:
    for topic in get_args(Topic):
        assert answer(VoiceFacts(), frozenset({topic}), None, language)


KNOWN = VoiceFacts(
    language=Labelled(label="en", score=0.99),
    emotion=Emotion(label="sad", score=0.95, scores={"sad": 0.95}, source="test"),
    prosody=Prosody(syllables_per_s=6.2, f0_hz=203.0, level_delta_db=6.0),
    sounds=(
        Sound(label="Dog", score=0.7, start_ms=0, end_ms=960),
        Sound(label="Siren", score=0.95, start_ms=0, end_ms=960),
    ),
    music=SoundKinds(speech=0.99, singing=0.2, music=0.01),
    speaker=Speaker(gender=Gender(label="female", score=0.95, turns=4)),
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("What do you hear?", "I hear somebody speaking. I think I hear a siren and a dog, but I may be wrong."),
        ("Is that a siren?", "I hear a siren, and I am fairly sure of it."),
        (
            "Is that a cat?",
            "I do not notice a cat. While somebody speaks I could miss one. "
            "I think I hear a siren and a dog, but I may be wrong.",
        ),
        ("Is that music?", "I do not notice music."),
        ("Is somebody singing?", "I am not sure whether there is singing."),
        (
            "How do I sound?",
            "It sounds sad to me, but I may be wrong. You speak about 6 syllables a second; I would call that fast.",
        ),
        ("What language am I speaking?", "That is English, and I am fairly sure of it."),
        ("How loud am I?", "You are louder than before."),
        ("Am I a man or a woman?", "It sounds like a woman's voice to me, but I may be wrong."),
        ("How old am I?", "I cannot tell from a voice how old somebody is."),
        ("Is my voice very high?", "The pitch of your voice is about 200 hertz."),
    ],
)
def test_an_answer_is_what_is_known_and_how_sure_it_is(text: str, told: str) -> None:
    assert note_for_question(KNOWN, text, "en").endswith(f'"{told}"')


def test_a_language_without_words_of_its_own_is_answered_for_in_english() -> None:
    assert "I do not notice music." in note_for_question(KNOWN, "Is that music?", "fr")
    assert "没有听到音乐" in note_for_question(KNOWN, "有音乐吗？", "zh")
    assert "音楽は聞こえません" in note_for_question(KNOWN, "音楽が聞こえますか？", "ja")


scores = st.floats(0, 1)
facts = st.builds(
    VoiceFacts,
    language=st.none() | st.builds(Labelled, label=st.sampled_from(["en", "zh", "xx"]), score=scores),
    sounds=st.lists(
        st.builds(
            Sound, label=st.sampled_from([*LABELS, "Dragon"]), score=scores, start_ms=st.just(0), end_ms=st.just(1)
        ),
        max_size=4,
    ).map(tuple),
    music=st.none() | st.builds(SoundKinds, speech=scores, singing=scores, music=scores),
)


@given(facts, st.sets(st.sampled_from(get_args(Topic)), min_size=1), st.sampled_from([None, *LABELS]))
def test_no_answer_names_a_sound_that_was_not_heard(known: VoiceFacts, topics: set[Topic], named: str | None) -> None:
    told = answer(known, frozenset(topics), named, "en")
    assert told
    affirmed = " ".join(re.findall(r"I hear ([^.]*)", told, re.IGNORECASE)).replace("somebody speaking", "")
    heard = {sound.label for sound in known.sounds}
    heard |= {"Music"} if known.music is not None and known.music.music >= 0.4 else set()
    heard |= {"Singing"} if known.music is not None and known.music.singing >= 0.4 else set()
    for label in set(LABELS) - heard:
        assert not re.search(rf"(?<!\w){SOUND_WORDS[label].en}(?!\w)", affirmed) or any(
            SOUND_WORDS[label].en in SOUND_WORDS[other].en for other in heard if other in SOUND_WORDS
        )


def test_a_long_text_is_looked_at_in_no_time() -> None:
    started = time.perf_counter()
    assert asks_about_sound("my mood " * 200_000 + "How do I sound?")
    assert time.perf_counter() - started < 0.5


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    topics_of(text)
