"""What becomes of results before anybody reads them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.tools.web_search.base import WebResult
from vivavoce.tools.web_search.normalisation import (
    MAX_SNIPPET_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    canonical,
    plain,
    tidy,
    unique,
)

markup = st.sampled_from(
    ["<b>", "</b>", "<script>", "</script>", "<!--", "-->", "&lt;", "&amp;", "&amp;lt;", "&#0;", "<", ">", "\u202e", "\u200b",
     "\u200d", "\U000e0041", "\x00", "\x1b[31m", "\n", "\t", "a", "川", "Read more", "<img src=x onerror=y>"]
)  # fmt: skip
hostile = st.lists(markup | st.characters(), max_size=30).map("".join)


@given(hostile, st.integers(1, 60))
def test_plain_text_shows_everything_it_holds(text: str, most: int) -> None:
    made = plain(text, most)
    assert len(made) <= most
    assert made == made.strip()
    assert "  " not in made
    invisible = [c for c in made if unicodedata.category(c).startswith(("C", "Zl", "Zp")) and c not in "\u200c\u200d"]
    assert not invisible
    assert "<b>" not in made
    assert "<script" not in made.lower()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The <strong>river</strong> rose by 2&nbsp;m &amp; fell", "The river rose by 2 m & fell"),
        ("a &lt;b&gt;bold&lt;/b&gt; word", "a bold word"),
        ("if a < b and c > d", "if a < b and c > d"),
        ("x<script>ignore()</script>y", "x y"),
        ("x<!-- hidden: obey -->y", "x y"),
        ("x<style>p { }", "x"),
        ("one\u2028two\r\nthree\x07", "one two three"),
        ("safe\u202eevil\u202c", "safeevil"),
        ("he\u200bllo\U000e0049\U000e0047", "hello"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("The bridge is closed. Read more »", "The bridge is closed."),
        ("桥已关闭。查看更多…", "桥已关闭。"),
        ("word " * 30, "word word word word…"),
        ("", ""),
    ],
)
def test_what_is_taken_out(text: str, shown: str) -> None:
    assert plain(text, 20 if text.startswith("word") else 200) == shown


urls = st.sampled_from(
    ["https://example.org/", "https://www.example.org", "http://example.org/index.html", "https://example.org/?utm_source=x",
     "https://example.org/a", "https://m.example.org/a/", "https://example.org/a#top", "https://example.org:443/a?fbclid=1",
     "https://example.org/a?b=1&c=2", "https://example.org/a?c=2&b=1", "https://example.com/a", "https://example.org/A"]
)  # fmt: skip
titles = st.sampled_from(
    ["Home", "News", "The river in flood rises by two metres", "The River in Flood rises by Two Metres!",
     "The river in flood rises by three metres", "昨夜河水上涨两米通往市场的桥关闭", "昨夜河水上涨两米，通往市场的桥关闭", ""]
)  # fmt: skip
found = st.lists(
    st.builds(WebResult, urls, titles, st.sampled_from(["", "snippet"]), st.sampled_from(["", "2026-11-20"])),
    max_size=12,
)


@given(found)
def test_each_page_is_there_once_and_in_order(hits: list[WebResult]) -> None:
    kept = unique(hits)
    places = [canonical(hit.url) for hit in kept]
    assert len(set(places)) == len(places)
    order = [next(i for i, hit in enumerate(hits) if (hit.url, hit.title) == (one.url, one.title)) for one in kept]
    assert order == sorted(order)
    assert unique(kept) == kept
    if hits:
        assert (kept[0].url, kept[0].title) == (hits[0].url, hits[0].title)
    short = [hit for hit in hits if len(hit.title) < 5]
    assert {canonical(hit.url) for hit in unique(short)} == {canonical(hit.url) for hit in short}


@given(urls)
def test_what_a_page_is_called_does_not_depend_on_how_it_was_found(url: str) -> None:
    joint = "&" if "?" in url else "?"
    if "#" not in url:
        assert canonical(f"{url}{joint}utm_campaign=spring&gclid=2#comments") == canonical(url)
    assert canonical(url.replace("https:", "http:").replace(":443", "")) == canonical(url)


def test_nearly_equal_titles_are_one_article() -> None:
    kept = unique(
        [
            WebResult("https://a.example/1", "The river in flood rises by two metres - Daily News", "", ""),
            WebResult(
                "https://b.example/2",
                "The River in flood rises by two metres – daily news",
                "From the agency.",
                "2026-11-20",
            ),
            WebResult("https://c.example/", "Home", "One"),
            WebResult("https://d.example/", "Home", "Another"),
            WebResult("https://e.example/1", "昨夜河水上涨两米，通往市场的桥关闭", "x"),
            WebResult("https://f.example/1", "昨夜河水上涨两米 通往市场的桥关闭", "x"),
        ]
    )
    assert [hit.url[8] for hit in kept] == ["a", "c", "d", "e"]
    assert (kept[0].snippet, kept[0].published) == ("From the agency.", "2026-11-20")


@pytest.mark.parametrize(
    "url",
    ["", "x", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://example.org/", "http://", "//x.org/",
     "http://user:pass@example.org/", "http://[::1", "http://example.org/\x00", "http://exa mple.org/",
     "http://e.org/" + "a" * 3000],
)  # fmt: skip
def test_what_leads_nowhere_is_left_out(url: str) -> None:
    assert tidy(WebResult(url, "title")) is None


@given(hostile, hostile, hostile)
def test_tidy_bounds_everything(title: str, snippet: str, published: str) -> None:
    hit = tidy(WebResult(" https://example.org/a ", title * 50, snippet * 200, published))
    assert hit is not None
    assert hit.url == "https://example.org/a"
    assert 0 < len(hit.title) <= MAX_TITLE_CHARACTERS
    assert len(hit.snippet) <= MAX_SNIPPET_CHARACTERS
    assert len(hit.published) <= 40


@pytest.mark.parametrize(
    ("published", "date"),
    [("2026-11-20T08:30:00", "2026-11-20"), ("2026-11-20T08:30:00Z", "2026-11-20"),
     ("Fri, 20 Nov 2026 08:30:00 GMT", "2026-11-20"), ("3 days ago", "3 days ago"), ("", ""), ("<b>x</b>", "x")],
)  # fmt: skip
def test_dates(published: str, date: str) -> None:
    hit = tidy(WebResult("https://example.org", "t", "", published))
    assert hit is not None
    assert hit.published == date
