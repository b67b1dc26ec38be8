"""The page with the real models: a question is heard, understood and answered aloud; the answer can be interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect

from clients.speaking import spoken
from console.browsing import console, launched, loud_ms, say, until, wav_file
from knowledge.documents import pdf
from running import RunningServer

pytestmark = pytest.mark.real

PATIENCE_MS = 180_000
"""On however slow a machine."""


def test_a_question_is_answered_aloud_and_speech_interrupts(
    playwright: Playwright, real_server: RunningServer, tmp_path: Path
) -> None:
    question = wav_file(
        tmp_path / "question.wav", spoken("Tell me a long story about a brave little fox.") + bytes(96_000)
    )
    with launched(playwright, question) as browser, console(browser, real_server.http) as page:
        orb = page.get_by_test_id("orb")
        orb.click()
        expect(page.get_by_test_id("bubble-user").first).to_contain_text(
            "story about a brave little fox", timeout=PATIENCE_MS
        )
        orb.click()
        until(lambda: loud_ms(page) > 600, within_s=PATIENCE_MS / 1000)
        orb.click()  # the microphone hears the recording once more, while the reply is spoken
        reply = page.get_by_test_id("bubble-assistant").first
        expect(reply).to_contain_text("interrupted", timeout=PATIENCE_MS)
        until(
            lambda: page.evaluate("window.arrived.some(([, type]) => type === 'conversation.item.retrieved')"),
            within_s=PATIENCE_MS / 1000,
        )
        assert len(reply.get_by_test_id("said").inner_text()) > 3
        started = page.evaluate(
            "window.arrived.filter(([, type]) => type === 'input_audio_buffer.speech_started').at(-1)[0]"
        )
        after = [
            at - started for at, level in page.evaluate("window.played") if level > 0.01 and 0 < at - started < 500
        ]
        assert max(after, default=0) < 150


def test_a_document_is_asked_about_and_the_lamp_switched(
    playwright: Playwright, real_server: RunningServer, tmp_path: Path
) -> None:
    with launched(playwright) as browser, console(browser, real_server.http) as page:
        page.get_by_role("link", name="Knowledge").click()
        page.get_by_test_id("store-name").fill("aurora_manual")
        page.get_by_role("button", name="Create").click()
        page.get_by_test_id("documents").set_input_files(pdf(tmp_path / "aurora.pdf"))
        expect(page.get_by_test_id("files")).to_contain_text("Ready", timeout=PATIENCE_MS)
        page.get_by_test_id("use-store").click()
        page.get_by_role("link", name="Talk").click()
        page.get_by_label("Speak the replies").uncheck()
        say(page, "How long does the battery of the Aurora three last?")
        reply = page.get_by_test_id("bubble-assistant").first
        expect(reply).to_contain_text("Sources", timeout=PATIENCE_MS)
        expect(reply).to_contain_text("eleven")
        page.get_by_label("Look into documents").select_option("")
        page.get_by_test_id("lamp-tool").check()
        say(page, "Please switch the lamp on.")
        expect(page.get_by_test_id("lamp")).to_have_attribute("data-on", "true", timeout=PATIENCE_MS)
