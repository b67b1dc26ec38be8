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

from vivavoce.tools.web_search.base import Hit
from vivavoce.tools.web_search.nearness import terms

MOST_TITLE = 200
MOST_SNIPPET = 1000
MOST_URL = 2000

_SCRIPTS = re.compile(r"<(script|style|noscript|template)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENTS = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAGS = re.compile(r"</?[a-zA-Z!][^<>]*>")
_BOILERPLATE = re.compile(
    r"(?:\b(?:read more|continue reading|learn more|show more|click here)\b|阅读全文|查看更多|点击查看|続きを読む)[\s.…»>→]*$",
    re.IGNORECASE,
)
_KEPT_FORMAT = "\u200c\u200d"
"""Joiners, which Persian, the Indic scripts and emoji are spelled with."""

_TRACKING = re.compile(
    r"^(?:utm_\w+|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|spm|ref_src|_ga)$", re.IGNORECASE
)
_NEAR = 0.9
_TELLING_TERMS = 4


def plain(text: str, most: int) -> str:
    """``text`` of the web as one line of at most ``most`` characters that shows everything it holds."""
    text = text[: most * 20]
    for _ in range(4):
        before = text
        text = _TAGS.sub(" ", _COMMENTS.sub(" ", _SCRIPTS.sub(" ", text)))
        text = html.unescape(text)
        if text == before:
            break
    text = " ".join("".join(map(_shown, text)).split())
    text = _BOILERPLATE.sub("", text).rstrip()
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _shown(character: str) -> str:
    """A character if it can be seen, a space for other white space, and nothing for what is invisible."""
    if character.isspace():
        return " "
    if unicodedata.category(character).startswith("C") and character not in _KEPT_FORMAT:
        return ""
    return character


def tidy(hit: Hit) -> Hit | None:
    """A hit in plain text, or ``None`` if it leads nowhere a browser would go."""
    try:
        place = urlsplit(hit.url.strip())
        host = place.hostname
    except ValueError:
        return None
    url = place.geturl()
    if place.scheme not in ("http", "https") or not host or len(url) > MOST_URL or not url.isprintable() or " " in url:
        return None
    if place.username is not None or place.password is not None:
        return None
    title = plain(hit.title, MOST_TITLE) or host
    return Hit(url, title, plain(hit.snippet, MOST_SNIPPET), _date(hit.published))


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
    kept = sorted(
        (name, value) for name, value in parse_qsl(place.query, keep_blank_values=True) if not _TRACKING.match(name)
    )
    path = re.sub(r"/(?:index\.(?:html?|php))?$", "", place.path)
    return f"{host}{port}{path}{'?' if kept else ''}{urlencode(kept)}"


def unique(hits: Iterable[Hit]) -> list[Hit]:
    """Each page once, in order: the first of those with the same address or nearly the same title.

    What the first lacks (a snippet, a date) it takes from those left out.
    """
    kept: list[Hit] = []
    places: dict[str, int] = {}
    titles: list[frozenset[str]] = []
    for hit in hits:
        place, title = canonical(hit.url), frozenset(terms(hit.title))
        at = places.get(place)
        if at is None:
            at = next((index for index, other in enumerate(titles) if _same_title(title, other)), None)
        if at is None:
            at = len(kept)
            kept.append(hit)
            titles.append(title)
        else:
            first = kept[at]
            kept[at] = replace(first, snippet=first.snippet or hit.snippet, published=first.published or hit.published)
        places.setdefault(place, at)
    return kept


def _same_title(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether titles are so alike that they name one article; short ones ("Home") name nothing."""
    if min(len(one), len(other)) < _TELLING_TERMS:
        return False
    return len(one & other) / len(one | other) >= _NEAR
