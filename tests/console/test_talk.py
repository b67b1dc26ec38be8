"""Talking in the page: by voice, by text, by a button that is held; interrupted, lost and found again."""

from __future__ import annotations

import json
import wave
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, Playwright, expect

from clients.speaking import spoken
from console.browsing import console, launched, loud_ms, say, until, wav_file
from docs.thoughtful import ThoughtfulLanguageModel
from running import RunningServer, running
from vivavoce.config import load_config

LONG = "Tell me a story that takes more than a moment to tell, " * 4


def bubbles(page: Page, role: str) -> list[str]:
    return page.get_by_test_id(f"bubble-{role}").all_inner_texts()


def test_a_spoken_question_is_written_down_and_answered_aloud(browser: Browser, server: RunningServer) -> None:
    with console(browser, server.http) as page:
        page.get_by_test_id("orb").click()
        expect(page.get_by_test_id("bubble-user")).to_contain_text("I heard")
        expect(page.get_by_test_id("bubble-assistant").get_by_test_id("said")).to_contain_text("You said: I heard")
        until(lambda: loud_ms(page) > 800)
        # both sides can be played again
        expect(page.get_by_role("button", name="Play: You")).to_be_visible()
        page.get_by_role("button", name="Play: Assistant").click()
        expect(page.get_by_role("button", name="Pause: Assistant")).to_be_visible()
        expect(page.get_by_role("button", name="Play: Assistant")).to_be_visible()
        page.get_by_role("link", name="Inspect").click()
        turn = page.get_by_test_id("turn")
        for stage in ("Waiting for the end", "Transcript", "First token", "First audio", "Received here", "Heard"):
            expect(turn).to_contain_text(stage)
        page.get_by_role("tab", name="Events").click()
        page.get_by_role("searchbox").fill("transcription.completed")
        page.get_by_test_id("event").first.click()
        expect(
            page.get_by_role("region", name="conversation.item.input_audio_transcription.completed")
        ).to_contain_text("I heard")


def test_speech_stops_the_reply_at_once_and_the_history_shows_where(browser: Browser, server: RunningServer) -> None:
    with console(browser, server.http) as page:
        say(page, LONG)
        until(lambda: loud_ms(page) > 400)
        page.get_by_test_id("orb").click()  # the microphone hears the question from its beginning
        reply = page.get_by_test_id("bubble-assistant").first
        expect(reply).to_contain_text("interrupted")
        until(lambda: page.evaluate("window.arrived.some(([, type]) => type === 'conversation.item.retrieved')"))
        heard = reply.get_by_test_id("said").inner_text()
        assert LONG.startswith(heard.removeprefix("You said: ")[:20])
        assert 5 < len(heard) < len(LONG) / 2
        expect(reply.get_by_test_id("lost")).to_contain_text("moment")
        told = page.evaluate("window.arrived.find(([, type]) => type === 'input_audio_buffer.speech_started')[0]")
        after = [at - told for at, level in page.evaluate("window.played") if level > 0.01 and 0 < at - told < 500]
        assert max(after, default=0) < 120  # of which the recorder's own blocks are the most


def test_push_to_talk_by_the_space_bar(browser: Browser, server: RunningServer) -> None:
    with console(browser, server.http) as page:
        page.get_by_role("button", name="Push to talk").click()
        page.get_by_role("heading", name="Talk").click()
        page.keyboard.down("Space")
        expect(page.get_by_test_id("phase")).to_contain_text("I hear you")
        page.wait_for_timeout(2500)
        page.keyboard.up("Space")
        expect(page.get_by_test_id("bubble-user")).to_contain_text("I heard")
        expect(page.get_by_test_id("bubble-assistant")).to_contain_text("You said")
        expect(page.get_by_role("button", name="Play: You")).to_be_visible()


def test_a_tool_is_called_and_its_lamp_goes_on(browser: Browser, server: RunningServer) -> None:
    with console(browser, server.http) as page:
        page.get_by_test_id("lamp-tool").check()
        say(page, 'call switch_lamp {"on": true, "colour": "green"}')
        expect(page.get_by_test_id("lamp")).to_have_attribute("data-on", "true")
        expect(page.get_by_test_id("bubble-tool")).to_contain_text("its light is green")
        expect(page.get_by_test_id("bubble-assistant")).to_contain_text("The lamp is on")


def test_thoughts_are_shown_apart_and_fold_when_they_are_done(browser: Browser, server: RunningServer) -> None:
    with server.with_model(ThoughtfulLanguageModel(4)), console(browser, server.http) as page:
        say(page, "Please think.")
        reply = page.get_by_test_id("bubble-assistant")
        expect(reply).to_contain_text("You said")
        thoughts = reply.get_by_role("group")
        expect(thoughts).to_contain_text("Thoughts")
        expect(thoughts.get_by_text("They want me to think.")).to_be_hidden()
        thoughts.get_by_text("Thoughts").click()
        expect(thoughts.get_by_text("They want me to think.")).to_be_visible()


def test_what_is_heard_in_the_voice_stands_below_the_words(
    playwright: Playwright, server: RunningServer, tmp_path: Path
) -> None:
    question = np.frombuffer(spoken("How many days are in a leap year?"), "<i2").astype(np.float32)
    shouted = np.clip(question * 40, -32767, 32767).astype("<i2").tobytes() + bytes(96_000)
    recording = wav_file(tmp_path / "shouted.wav", shouted)
    with launched(playwright, recording) as loud, console(loud, server.http) as page:
        page.get_by_test_id("orb").click()
        expect(page.get_by_test_id("bubble-user")).to_contain_text("emotion: angry 97 %")


def test_markup_of_a_model_is_text(browser: Browser, server: RunningServer) -> None:
    attack = "<img src=x onerror=alert(1)><script>document.title='taken'</script>"
    with console(browser, server.http) as page:
        say(page, attack)
        expect(page.get_by_test_id("bubble-assistant")).to_contain_text(attack)
        assert page.locator("article img, article script").count() == 0
        assert page.title() == "Talk · Vivavoce"


def test_settings_change_the_session_and_a_new_voice_goes_on_with_what_was_said(
    browser: Browser, server: RunningServer
) -> None:
    with console(browser, server.http) as page:
        say(page, "My name is Ada.")
        expect(page.get_by_test_id("state")).to_have_attribute("data-phase", "speaking")
        expect(page.get_by_test_id("state")).to_have_attribute("data-phase", "idle")
        page.get_by_label("Scenario").select_option(label="Storyteller")
        until(lambda: page.evaluate("window.arrived.filter(([, type]) => type === 'session.created').length") == 2)
        until(
            lambda: (
                page.evaluate("window.arrived.filter(([, type]) => type === 'conversation.item.created').length") >= 4
            )
        )
        say(page, "Go on.")
        expect(page.get_by_test_id("bubble-assistant")).to_have_count(2)
        assert bubbles(page, "user")[0].startswith("My name is Ada.")


def test_a_conversation_is_taken_home(browser: Browser, server: RunningServer) -> None:
    with console(browser, server.http, accept_downloads=True) as page:
        say(page, "Good morning.")
        expect(page.get_by_role("button", name="Play: Assistant")).to_be_visible()
        until(lambda: page.get_by_test_id("state").get_attribute("data-phase") == "idle")
        files = []
        page.on("download", lambda download: files.append(download.path()))
        page.get_by_test_id("save").click()
        until(lambda: page.evaluate("1") and len(files) == 2)
        saved = json.loads(files[0].read_text())
        assert [item["text"] for item in saved["items"]] == ["Good morning.", "You said: Good morning."]
        assert {"session.update", "response.done"} <= {entry["event"]["type"] for entry in saved["events"]}
        with wave.open(str(files[1])) as sound:
            assert (sound.getnchannels(), sound.getframerate()) == (2, 24_000)
            assert sound.getnframes() > 12_000


def test_a_connection_that_broke_is_resumed(browser: Browser, server: RunningServer) -> None:
    with console(browser, server.http) as page:
        say(page, "My name is Ada.")
        until(lambda: page.get_by_test_id("state").get_attribute("data-phase") == "idle")
        page.evaluate("window.sockets.at(-1).close(3000)")  # any code but 1000 is a loss to the server
        until(lambda: page.evaluate("window.sockets.length") == 2)
        expect(page.get_by_test_id("state")).to_have_attribute("data-state", "open")
        say(page, "Are you there?")
        expect(page.get_by_test_id("bubble-assistant")).to_have_count(2)
        assert page.evaluate("window.arrived.filter(([, type]) => type === 'session.created').length") == 1


def test_it_comes_back_when_the_server_was_started_again(browser: Browser) -> None:
    with ExitStack() as before:
        first = before.enter_context(running(load_config({"limits": {"drain_s": 0.2}}, profile="fake")))
        port = first.port
        with console(browser, first.http) as page:
            say(page, "My name is Ada.")
            expect(page.get_by_test_id("bubble-assistant")).to_contain_text("You said")
            until(lambda: page.get_by_test_id("state").get_attribute("data-phase") == "idle")
            before.close()
            expect(page.get_by_test_id("state")).to_have_attribute("data-state", "reconnecting")
            with running(load_config({"port": port}, profile="fake"), as_configured=True):
                expect(page.get_by_test_id("state")).to_have_attribute("data-state", "open")
                say(page, "Are you there?")
                expect(page.get_by_test_id("bubble-assistant")).to_have_count(2)
                assert "My name is Ada." in bubbles(page, "user")[0]


def test_a_wrong_key_is_explained_and_the_right_one_taken(browser: Browser) -> None:
    with (
        running(load_config({"auth": {"keys": {"ada": "the/right=key"}}}, profile="fake")) as locked,
        console(browser, locked.http) as page,
    ):
        say(page, "Hello?")
        expect(page.get_by_test_id("fault")).to_contain_text("asks for a key")
        page.get_by_test_id("key").fill("a-wrong-key")
        page.get_by_role("button", name="Use this key").click()
        expect(page.get_by_test_id("fault")).to_contain_text("missing or wrong")
        page.get_by_test_id("key").fill("the/right=key")
        page.get_by_role("button", name="Use this key").click()
        expect(page.get_by_test_id("state")).to_have_attribute("data-state", "open")
        expect(page.get_by_test_id("bubble-assistant")).to_contain_text("You said: Hello?")
        assert "the/right=key" not in page.evaluate(
            "JSON.stringify([{...localStorage}, document.documentElement.outerHTML])"
        )


def test_without_a_microphone_it_says_what_to_do(playwright: Playwright, server: RunningServer) -> None:
    with launched(playwright) as bare, console(bare, server.http, permissions=[]) as page:
        page.get_by_test_id("orb").click()
        expect(page.get_by_test_id("microphone-fault")).to_contain_text("not allowed")
        say(page, "Typing works.")
        expect(page.get_by_test_id("bubble-assistant")).to_contain_text("You said: Typing works.")
