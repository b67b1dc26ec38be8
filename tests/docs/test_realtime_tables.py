"""The Realtime page's tables against the code: every event, field, default, error code and setting, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields
from pydantic import BaseModel

import vivavoce
from docs.markdown import DOCS, codes, rows
from protocol.generating import server_events
from vivavoce.config import Config, load_config
from vivavoce.errors import ClientError
from vivavoce.http.errors import STATUS_OF_CODE
from vivavoce.http.session_defaults import starting_config
from vivavoce.protocol import openai, stepfun
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.audio_formats import ENCODINGS, NAMES
from vivavoce.protocol.client_events import CLIENT_EVENTS
from vivavoce.protocol.detection import DIALECTS, QUERY_NAMES
from vivavoce.protocol.dialect import DialectName, decode
from vivavoce.protocol.json_fields import Field
from vivavoce.protocol.model_names import MODEL_NAMES, default_dialect
from vivavoce.protocol.session_config import ResponseOverrides, SessionConfig, SessionPatch, TurnDetectionPatch
from vivavoce.protocol.session_translation import FLAT_FIELDS, NESTED_FIELDS
from vivavoce.tiers import TIERS, model_of
from vivavoce.turns.end_of_turn import PauseEvidence, wait_ms
from vivavoce.voices.presets import PRESETS

PAGE = DOCS / "realtime.md"
FIELDS: Mapping[DialectName, Mapping[str, Field]] = {
    "stepfun": stepfun.SESSION_FIELDS,
    "openai_beta": FLAT_FIELDS,
    "openai": NESTED_FIELDS,
}
_BOUNDS = re.compile(r"(?:number|integer), ([\d.]+) to ([\d.]+)")
IDS = {"response_id", "item_id", "output_index", "content_index"}


def table(heading: str, columns: int) -> dict[str, list[str]]:
    """First code of a row's first cell → its other cells, of the tables with this many columns under a heading."""
    return {codes(row[0])[0]: row[1:] for row in rows(PAGE, heading) if len(row) == columns and codes(row[0])}


def fresh(dialect: DialectName = "stepfun") -> SessionConfig:
    config = load_config(profile="fake")
    return starting_config(config, model_of("step-audio-2", {}, "step-audio-2"), None, dialect)


def shown_defaults(path: str) -> list[Any]:
    """What a fresh session has at this dotted path, in each dialect that has it."""
    found = []
    for name, dialect in DIALECTS.items():
        value: Any = dialect.to_client(ev.SessionCreated(session_id="s", session=fresh(name)))[0]["session"]
        for step in path.split("."):
            value = value.get(step, ...) if isinstance(value, dict) else ...
        found += [] if value is ... else [value]
    return found


# ---- session


def session_row(canonical: str) -> list[str]:
    """The row that has StepFun's name of a canonical field, or GA's."""
    for row in rows(PAGE, "Session fields"):
        for column, dialect in enumerate(FIELDS, 1):
            field = FIELDS[dialect].get(canonical)
            if len(row) == 6 and field is not None and field.path in codes(row[column]):
                return row
    raise AssertionError(f"no row for {canonical}")


@pytest.mark.parametrize("name", [name for name in SessionPatch.__struct_fields__ if name != "extras"])
def test_every_field_of_the_session_has_its_names(name: str) -> None:
    row = session_row(name)
    for column, dialect in enumerate(FIELDS, 1):
        field = FIELDS[dialect].get(name)
        assert set(codes(row[column])) == ({field.path, *field.also} if field else set()), dialect


@pytest.mark.parametrize("name", [name for name in SessionPatch.__struct_fields__ if name != "extras"])
def test_every_default_of_the_session_is_the_real_one(name: str) -> None:
    row = session_row(name)
    if name == "turn_detection":
        return  # it has a table of its own
    paths = {path for cell in row[1:4] for path in codes(cell)}
    real = [value for path in paths for value in shown_defaults(path)]
    told = [json.loads(code) for code in codes(row[5])]
    assert told
    if "Shown where it is set" in row[4]:
        assert (real, told) == ([], [None])
        return
    assert all(value in real for value in told)
    assert all(value in told for value in real)


def test_the_session_table_is_whole() -> None:
    told = [codes(row[1] + row[2] + row[3]) for row in rows(PAGE, "Session fields") if len(row) == 6]
    known = {path for fields_ in FIELDS.values() for field in fields_.values() for path in (field.path, *field.also)}
    assert {path for paths in told for path in paths} == known
    assert set(SessionConfig.__struct_fields__) == {*SessionPatch.__struct_fields__, "model"}


def test_every_field_of_turn_detection() -> None:
    told = table("Turn detection", 5)
    assert set(told) == {*TurnDetectionPatch.__struct_fields__, "energy_awakeness_threshold"}
    vad = fresh().turn_detection
    for name, cells in told.items():
        if name != "energy_awakeness_threshold":
            assert json.loads(codes(cells[2])[0]) == getattr(vad, name), name
    assert shown_defaults("turn_detection.energy_awakeness_threshold") == [
        json.loads(codes(told["energy_awakeness_threshold"][2])[0])
    ]


RANGES = [
    *((f"turn_detection.{name}", cells[1]) for name, cells in table("Turn detection", 5).items()),
    *((codes(row[1])[0], row[4]) for row in rows(PAGE, "Session fields") if len(row) == 6 and codes(row[1])),
]
BOUNDS = [(path, *map(float, found.groups())) for path, cell in RANGES if (found := _BOUNDS.search(cell))]


@pytest.mark.parametrize(("path", "least", "most"), BOUNDS)
def test_every_range_ends_where_it_says(path: str, least: float, most: float) -> None:
    def accepted(value: float) -> bool:
        written: Any = int(value) if value == int(value) else value
        session: dict[str, Any] = {}
        *way, name = path.split(".")
        inner = session
        for step in way:
            inner = inner.setdefault(step, {"type": "server_vad"})
        inner[name] = written
        try:
            decode(json.dumps({"type": "session.update", "session": session}), DIALECTS["stepfun"])
        except ClientError as error:
            return error.param != f"session.{path}"
        return True

    assert [accepted(value) for value in (least - 1, least, most, most + 1)] == [False, True, True, False]


FINISHED = {"text": "What is the capital of France?", "sentence_end": 0.9}
UNFINISHED = {"text": "I would like to book a table for", "sentence_end": 0.01}
PAUSES: dict[str, dict[str, Any]] = {
    "whole sentence, sounds finished": {"sound": 0.98, **FINISHED},
    "whole sentence, sounds unfinished": {"sound": 0.1, **FINISHED},
    "words not known yet, sounds finished": {"sound": 0.98},
    "nothing known": {},
    "unfinished words, sounds finished": {"sound": 0.98, **UNFINISHED},
    "unfinished in both": {"sound": 0.1, **UNFINISHED},
}


def test_how_long_a_pause_may_be() -> None:
    section = PAGE.read_text("utf-8").partition("### How long a pause may be")[2]
    header = section.partition("\n| `eagerness` |")[2].partition("\n")[0]
    assert [cell.strip() for cell in header.strip(" |").split("|")] == list(PAUSES)
    for row in rows(PAGE, "How long a pause may be"):
        documented = [int(cell.removesuffix(" ms")) for cell in row[1:]]
        for eagerness in codes(row[0]):
            waits = [wait_ms(PauseEvidence(0, speech_ms=2000, **known), eagerness) for known in PAUSES.values()]  # type: ignore[arg-type]
            assert documented == [round(wait, -1) for wait in waits]


def test_every_audio_format_and_voice() -> None:
    formats = [code for row in rows(PAGE, "Audio formats") for cell in row[:2] for code in codes(cell)]
    assert set(NAMES) == {code for code in formats if not code.startswith(("{", "rate"))}
    assert set(ENCODINGS) == {json.loads(code)["type"] for code in formats if code.startswith("{")}
    section = PAGE.read_text().split("### Voices")[1].split("### ")[0]
    named = {name for name, voice in PRESETS.items() if not voice.description.endswith("(Kokoro)")}
    assert named <= set(codes(section)) <= {*PRESETS}


def test_the_model_names() -> None:
    shown = rows(PAGE, "Model names")
    told = {pattern: codes(row[-1]) for row in shown for pattern in codes(row[0]) if not row[1].startswith("itself")}
    assert told == {row.pattern: [row.serves] for row in MODEL_NAMES}
    kinds = {pattern: row[1] for row in shown if len(row) == 3 for pattern in codes(row[0])}
    assert kinds == {row.pattern: row.kind for row in MODEL_NAMES if row.kind != "conversation"}
    assert {codes(row[0])[0] for row in shown if row[1].startswith("itself")} == set(TIERS)


def test_the_dialect_of_each_model() -> None:
    spoken: Mapping[DialectName, str] = {"openai_beta": "beta", "openai": "GA", "stepfun": "StepFun"}
    told = {pattern: row[1] for row in rows(PAGE, "Dialects") for pattern in codes(row[0])}
    for pattern in (*told, *TIERS, *(row.pattern for row in MODEL_NAMES if row.kind not in ("speech", "embedding"))):
        name = pattern.replace("*", "-x")
        shown = next((dialect for known, dialect in told.items() if fnmatchcase(name, known)), "StepFun")
        assert shown == spoken[default_dialect(name)], name


def test_the_names_of_dialects() -> None:
    assert set(codes(table("Query parameters", 3)["dialect"][0])) == set(QUERY_NAMES)


# ---- events


def test_every_client_event_and_its_fields() -> None:
    told = table("Client events", 3)
    assert set(told) == {*CLIENT_EVENTS, "transcription_session.update"}
    for kind, event in CLIENT_EVENTS.items():
        cell = told[kind][0]
        for field in fields(event):
            if field.name in ("event_id", "under_vad"):
                continue
            assert field.name in codes(cell), kind
            described = cell.split(f"`{field.name}`")[1].split("`,")[0]
            assert ("required" in described.split(")")[0]) is field.required, f"{kind}: {field.name}"


def test_every_override_of_a_response() -> None:
    told = set(table("Overrides of a response", 4))
    assert told == set(ResponseOverrides.__struct_fields__) - set(SessionPatch.__struct_fields__)


def documented(dialect: DialectName) -> dict[str, set[str]]:
    """Event → the names in its fields' cell, as this dialect has it."""
    found: dict[str, set[str]] = {}
    for cells in rows(PAGE, "Server events"):
        names = [cells[0], cells[1], cells[2]]
        column = list(FIELDS).index(dialect)
        name = next(cell for cell in reversed(names[: column + 1]) if cell != "same")
        if name != "—":
            told = set(codes(cells[3]))
            found[codes(name)[0]] = told | (IDS if cells[3].startswith("ids") else set())
    return found


TOLD = {dialect: documented(dialect) for dialect in FIELDS}


@pytest.mark.parametrize("dialect", FIELDS)
@settings(max_examples=3, deadline=None, phases=[Phase.generate])  # one example is as good as a smaller one
@given(data=st.data())
def test_what_a_server_says_is_in_the_table(dialect: DialectName, data: st.DataObject) -> None:
    """Each event once in a while, in its dialect's words: its fields are the row's, and all its ids are there."""
    for events in server_events(dialect).values():
        for frame in DIALECTS[dialect].to_client(data.draw(events)):
            told = TOLD[dialect].get(frame["type"])
            assert told is not None, frame["type"]
            assert set(frame) - {"type", "event_id"} <= told, frame["type"]
            assert told & IDS <= set(frame), frame["type"]


def classes(cls: type[ev.ServerEvent]) -> Iterator[type[ev.ServerEvent]]:
    below = cls.__subclasses__()
    for subclass in below:
        yield from classes(subclass)
    if not below:
        yield cls


def test_every_server_event_is_in_the_table_and_no_other() -> None:
    canonical = {event.wire_name() for event in classes(ev.ServerEvent)}
    flat = set(TOLD["stepfun"]) | set(TOLD["openai_beta"]) | {"conversation.item.done"}
    flat |= {name for name in TOLD["openai"] if "mcp" in name}
    assert flat == canonical | {"conversation.created", "transcription_session.updated"}
    for name in TOLD["openai"]:
        assert name in {openai.NAMES.get(kind, kind) for kind in canonical}


# ---- errors and settings


def codes_of_errors() -> set[str]:
    """Every ``code=`` given to an error in the rooms requests go through."""
    found = {"invalid_value", *stepfun.CODES, *stepfun.CODES.values()}  # the default, and what is said by a table
    source = Path(vivavoce.__file__).parent
    rooms = [source / room for room in ("session", "protocol", "http", "runtime", "audio")]
    for file in [
        *(path for room in rooms for path in room.rglob("*.py")),
        source / "errors.py",
        source / "protocol/model_names.py",
        source / "knowledge" / "stores.py",
    ]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                given_codes = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
                found |= {str(leaf.value) for value in given_codes for leaf in _strings(value)}
            if isinstance(node, ast.ClassDef):  # one of errors may have its own
                found |= {str(leaf.value) for leaf in _own_codes(node)}
    return found


def _own_codes(kind: ast.ClassDef) -> Iterator[ast.Constant]:
    for statement in kind.body:
        if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == ["code"]:
            yield from _strings(statement.value)


def _strings(value: ast.expr) -> Iterator[ast.Constant]:
    """The string literals a ``code`` can be."""
    branches = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
    return (leaf for leaf in branches if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str))


def test_every_error_code() -> None:
    told = table("Errors", 4)
    real = codes_of_errors()
    assert set(told) | set(table("Errors", 2)) <= real
    pages = (page for page in DOCS.glob("*.md") if page != PAGE)
    other_pages = {code for page in pages for line in page.read_text().splitlines() for code in codes(line)}
    assert real <= set(told) | set(table("Errors", 2)) | other_pages
    for code, status in STATUS_OF_CODE.items():
        assert code not in told or told[code][0] == str(status)
    assert {cells[0] for code, cells in told.items() if code not in STATUS_OF_CODE} <= {"400", ""}


def test_ranges_were_found() -> None:
    assert len(BOUNDS) == 7


def leaves(name: str, table: BaseModel) -> Iterator[tuple[str, Any]]:
    """Dotted names of the settings in a table, and their defaults."""
    for key, value in table:
        if isinstance(value, BaseModel):
            yield from leaves(f"{name}.{key}", value)
        else:
            yield f"{name}.{key}", table.model_dump()[key]


def test_every_setting_and_its_default() -> None:
    told = {name: json.loads(codes(cells[0])[0]) for name, cells in table("Limits and settings", 3).items()}
    config: Config = load_config(profile="fake")
    tables: dict[str, BaseModel] = {
        name: getattr(config, name) for name in ("limits", "turns", "auth", "tls", "tiers")
    }  # fmt: skip
    real = {key: value for name, values in tables.items() for key, value in leaves(name, values)}
    assert told == real
