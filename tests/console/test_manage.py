"""Voices, documents, keys and weights in the page; and that everybody can use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from clients.speaking import spoken
from console.browsing import ROOT, console, say, until, wav_file
from running import RunningServer, running
from vivavoce.config import load_config

VIEWS = ("Talk", "Inspect", "Voices", "Knowledge", "Server", "Code")
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"


def test_a_voice_is_made_of_a_clip_and_deleted(browser: Browser, server: RunningServer, tmp_path: Path) -> None:
    text = (
        "The ferry to the island leaves at nine in the morning, and it takes about forty minutes. "
        "Take a warm coat, please, and something to read."
    )
    clip = wav_file(tmp_path / "me.wav", spoken(text))
    with console(browser, server.http) as page:
        page.get_by_role("link", name="Voices").click()
        page.get_by_test_id("clip").set_input_files(clip)
        create = page.get_by_role("button", name="Create")
        expect(create).to_be_disabled()
        page.get_by_test_id("consent").check()
        create.click()
        own = page.get_by_test_id("own-voices")
        expect(own).to_contain_text("me")
        own.get_by_role("button", name="Use: me").click()
        expect(own).to_contain_text("In use")
        own.get_by_role("button", name="Delete: me").click()
        own.get_by_role("button", name="Delete for good?: me").click()
        expect(own).to_contain_text("No voices of your own yet")


SLOW_LISTS = """() => {
  const fetched = window.fetch;
  window.fetch = async (resource, options) => {
    const path = String(resource.url ?? resource).split("?")[0];
    const listing = path.endsWith("/vector_stores") && (options?.method ?? "GET") === "GET";
    if (listing) await new Promise((resolve) => setTimeout(resolve, 600));
    return fetched(resource, options);
  };
}"""
"""A new collection shows late in the list of all: by then nothing may be put into another one."""


def test_a_document_is_uploaded_searched_and_asked_about(
    browser: Browser, server: RunningServer, tmp_path: Path
) -> None:
    terms = tmp_path / "terms.md"
    terms.write_text("# Returns\n\nGoods can be returned within thirty days.\n")
    httpx.post(f"{server.http}/v1/vector_stores", json={"name": "another_one", "type": "text"}).raise_for_status()
    with console(browser, server.http) as page:
        page.evaluate(SLOW_LISTS)
        page.get_by_role("link", name="Knowledge").click()
        expect(page.get_by_role("heading", name="another_one")).to_be_visible()
        page.get_by_test_id("store-name").fill("shop_terms")
        page.get_by_role("button", name="Create").click()
        page.get_by_test_id("documents").set_input_files(terms)
        expect(page.get_by_test_id("files")).to_contain_text("terms.md")
        expect(page.get_by_test_id("files")).to_contain_text("Ready")
        page.get_by_test_id("query").fill("How long can goods be returned?")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_test_id("hits")).to_contain_text("within thirty days")
        page.get_by_test_id("use-store").click()
        page.get_by_role("link", name="Talk").click()
        page.get_by_label("Speak the replies").uncheck()
        say(page, 'call search_documents {"query": "How long can goods be returned?"}')
        reply = page.get_by_test_id("bubble-assistant")
        expect(reply).to_contain_text("thirty days")
        expect(reply).to_contain_text("Sources (1)")


def test_figures_keys_and_weights(browser: Browser) -> None:
    config = load_config({"auth": {"keys": {"ada": "the-right-key"}}}, profile="fake")
    with running(config) as locked, console(browser, locked.http) as page:
        page.get_by_role("link", name="Server").click()
        expect(page.get_by_test_id("keys")).to_contain_text("asks for a key")
        page.get_by_test_id("key").fill("the-right-key")
        page.get_by_role("button", name="Use this key").click()
        expect(page.get_by_test_id("keys")).to_contain_text("accepts this key")
        page.get_by_label("realtime", exact=True).check()
        page.get_by_role("button", name="Make a key").click()
        secret = page.get_by_test_id("keys").locator(".fresh code").inner_text()
        assert httpx.get(f"{locked.http}/v1/models", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
        page.get_by_role("button", name="Delete: key-").click()
        page.get_by_role("button", name="Delete for good?").click()
        expect(page.get_by_test_id("keys").locator("li")).to_contain_text("revoked")
        assert httpx.get(f"{locked.http}/v1/models", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
        expect(page.get_by_label("Live figures")).to_contain_text("GB")
        expect(page.get_by_test_id("weights")).to_contain_text("whisper-base")


def test_the_code_is_what_is_set(browser: Browser, server: RunningServer) -> None:
    with console(browser, server.http) as page:
        page.get_by_label("Instructions").fill('Don\'t say "yes".')
        page.get_by_role("link", name="Code").click()
        python = page.get_by_test_id("code").inner_text()
        compile(python, "example.py", "exec")
        assert '"instructions": "Don\'t say \\"yes\\"."' in python
        page.get_by_role("button", name="curl").click()
        expect(page.get_by_test_id("code")).to_contain_text("/v1/chat/completions")


@pytest.mark.parametrize(
    "context",
    [{"color_scheme": "light"}, {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}],
    ids=["desktop", "phone, dark"],
)
def test_everybody_can_use_it(browser: Browser, server: RunningServer, context: dict[str, Any]) -> None:
    """No finding of axe (WCAG 2.2 A and AA) on any page, with a conversation in it."""
    with console(browser, server.http, **context) as page:
        say(page, "Good morning.")
        expect(page.get_by_test_id("bubble-assistant")).to_contain_text("You said")
        until(lambda: page.get_by_test_id("state").get_attribute("data-phase") == "idle")
        findings: dict[str, list[str]] = {}
        for view in VIEWS:
            page.get_by_role("link", name=view, exact=True).click()
            page.wait_for_timeout(300)
            findings |= {f"{view}: {rule}": nodes for rule, nodes in violations(page).items()}
        assert findings == {}


def violations(page: Page) -> dict[str, list[str]]:
    """Rule → the elements that break it."""
    page.evaluate(AXE.read_text())
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found: dict[str, Any] = json.loads(
        page.evaluate("async (options) => JSON.stringify(await axe.run(document, options))", options)
    )
    return {violation["id"]: [node["html"][:160] for node in violation["nodes"]] for violation in found["violations"]}
