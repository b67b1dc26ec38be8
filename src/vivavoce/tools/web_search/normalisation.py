"""Results made fit to read: markup, invisible characters and boilerplate out, the same thing only once. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from vivavoce.tools.web_search.base import WebResult
from vivavoce.tools.web_search.ranking import terms

MAX_TITLE_CHARACTERS = 200
MAX_SNIPPET_CHARACTERS = 1000
MAX_URL_CHARACTERS = 2000

_SCRIPTS = re.compile(r"<(script|style|noscript|template)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENTS = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAGS = re.compile(r"</?[a-zA-Z!][^<>]*>")
_BOILERPLATE = re.compile(
    r"(?:\b(?:read more|continue reading|learn more|show more|click here)\b|阅读全文|查看更多|点击查看|続きを読む)[\s.…»>→]*$",
    re.IGNORECASE,
)
_JOINERS = "\u200c\u200d"
"""Joiners, which Persian, the Indic scripts and emoji are spelled with."""

_TRACKING = re.compile(
    r"^(?:utm_\w+|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|spm|ref_src|_ga)$", re.IGNORECASE
)
_NEAR = 0.9
_MIN_TITLE_TERMS = 4


def plain(text: str, limit: int) -> str:
    """``text`` of the web as one line of at most ``limit`` characters that shows everything it holds."""
    text = text[: limit * 20]
    for _ in range(4):
        before = text
        text = _TAGS.sub(" ", _COMMENTS.sub(" ", _SCRIPTS.sub(" ", text)))
        text = html.unescape(text)
        if text == before:
            break
    text = " ".join("".join(map(_visible, text)).split())
    text = _BOILERPLATE.sub("", text).rstrip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _visible(character: str) -> str:
    """A character if it can be seen, a space for other white space, and nothing for what is invisible."""
    if character.isspace():
        return " "
    if unicodedata.category(character).startswith("C") and character not in _JOINERS:
        return ""
    return character


def tidy(hit: WebResult) -> WebResult | None:
    """A hit in plain text, or ``None`` if it leads nowhere a browser would go."""
    try:
        place = urlsplit(hit.url.strip())
        host = place.hostname
    except ValueError:
        return None
    url = place.geturl()
    if (
        place.scheme not in ("http", "https")
        or not host
        or len(url) > MAX_URL_CHARACTERS
        or not url.isprintable()
        or " " in url
    ):
        return None
    if place.username is not None or place.password is not None:
        return None
    title = plain(hit.title, MAX_TITLE_CHARACTERS) or host
    return WebResult(url, title, plain(hit.snippet, MAX_SNIPPET_CHARACTERS), _date(hit.published))


def _date(published: str) -> str:
    """A date as ``YYYY-MM-DD`` where it can be read as one, else in the provider's words (``3 days ago``)."""
    published = plain(published, 40)
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(published).date().isoformat()
        except (ValueError, TypeError, IndexError):
            continue
    return published


def canonical(url: str) -> str:
    """What two URLs of the same page have in common; for comparing, not for going there."""
    place = urlsplit(url)
    host = (place.hostname or "").removeprefix("www.").removeprefix("m.")
    port = "" if place.port in (None, 80, 443) else f":{place.port}"
    parameters = sorted(
        (name, value) for name, value in parse_qsl(place.query, keep_blank_values=True) if not _TRACKING.match(name)
    )
    path = re.sub(r"/(?:index\.(?:html?|php))?$", "", place.path)
    return f"{host}{port}{path}{'?' if parameters else ''}{urlencode(parameters)}"


def unique(hits: Iterable[WebResult]) -> list[WebResult]:
    """Each page once, in order: the first of those with the same address or nearly the same title.

    What the first lacks (a snippet, a date) it takes from those left out.
    """
    merged: list[WebResult] = []
    index_of_url: dict[str, int] = {}
    titles: list[frozenset[str]] = []
    for hit in hits:
        place, title = canonical(hit.url), frozenset(terms(hit.title))
        at = index_of_url.get(place)
        if at is None:
            at = next((index for index, other in enumerate(titles) if _same_title(title, other)), None)
        if at is None:
            at = len(merged)
            merged.append(hit)
            titles.append(title)
        else:
            first = merged[at]
            merged[at] = replace(
                first, snippet=first.snippet or hit.snippet, published=first.published or hit.published
            )
        index_of_url.setdefault(place, at)
    return merged


def _same_title(first: frozenset[str], second: frozenset[str]) -> bool:
    """Whether titles are so alike that they name one article; short ones ("Home") name nothing."""
    if min(len(first), len(second)) < _MIN_TITLE_TERMS:
        return False
    return len(first & second) / len(first | second) >= _NEAR
