"""Reading documents: every format, and what pretends to be one."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import psutil
import pytest

from vivavoce.errors import EngineError
from vivavoce.knowledge.blocks import Block, ParsedDocument
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.limits import ParsingLimits
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.knowledge.parsing.texts import separator_of

from . import documents

MIB = 1024 * 1024


@pytest.fixture
async def parsers() -> AsyncIterator[Parsers]:
    parsers = Parsers()
    yield parsers
    await parsers.close()


async def read(parsers: Parsers, path: Path) -> ParsedDocument:
    return await parsers.read_all(path, path.suffix[1:])


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


async def test_pdf(parsers: Parsers, tmp_path: Path) -> None:
    document = await read(parsers, documents.pdf(tmp_path / "a.pdf", pages=2))
    assert document.blocks[:2] == (
        Block("heading", "Aurora 3 Manual", level=1, page=1),
        Block("heading", "Battery", level=2, page=1),
    )
    assert documents.PARAGRAPH in document.text
    assert "Aurora 3 499 EUR 1.2 kg\n" in document.text + "\n"
    assert document.blocks[-1].page == 2


async def test_word(parsers: Parsers, tmp_path: Path) -> None:
    document = await read(parsers, documents.word(tmp_path / "a.docx"))
    assert document.blocks == (
        Block("heading", "Battery", level=1),
        Block("paragraph", documents.PARAGRAPH),
        Block("item", "Keep it dry."),
        Block("row", "Model: Aurora 2; Price: 399 EUR; Weight: 1.4 kg"),
        Block("row", "Model: Aurora 3; Price: 499 EUR; Weight: 1.2 kg"),
    )


async def test_slides_and_sheets(parsers: Parsers, tmp_path: Path) -> None:
    slides = await read(parsers, documents.slides(tmp_path / "a.pptx"))
    assert slides.blocks == (
        Block("heading", "Roadmap", level=2, page=1),
        Block("item", "Launch in March", page=1),
        Block("item", "Rest in April", page=1),
        Block("paragraph", "Smile.", page=1),
    )
    sheet = await read(parsers, documents.sheet(tmp_path / "a.xlsx"))
    assert sheet.blocks[0] == Block("heading", "Prices", level=2, page=1)
    assert sheet.blocks[-1].text == "Model: Aurora 3; Price: 499 EUR; Weight: 1.2 kg"


async def test_markdown(parsers: Parsers, tmp_path: Path) -> None:
    text = "# Title\n\nOne *two*\n[three](http://x)\n\n- a\n- b\n\n| M | P |\n|---|---|\n| A | 1 |\n\n```\ncode\n```\n"
    document = await read(parsers, written(tmp_path / "a.md", text))
    assert document.blocks == (
        Block("heading", "Title", level=1),
        Block("paragraph", "One two\nthree"),
        Block("item", "a"),
        Block("item", "b"),
        Block("row", "M: A; P: 1"),
        Block("paragraph", "code"),
    )


async def test_csv(parsers: Parsers, tmp_path: Path) -> None:
    document = await read(parsers, written(tmp_path / "a.csv", 'name;price\nA;"1;5"\n\nB;2\n'))
    assert [block.text for block in document.blocks] == ["name: A; price: 1;5", "name: B; price: 2"]
    assert (await read(parsers, written(tmp_path / "b.csv", "only one line,here\n"))).text == "only one line; here"


@pytest.mark.parametrize(
    ("sample", "separator"),
    [
        ("name,price\nLamp,3\n", ","),
        ("name;price;note\nLamp;3,50;a, b\nChair;4,10;c\n", ";"),
        ('"name, long"\t"price"\n"a, b"\t3\n', "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("Sold in May\nLamp\n", ","),
        ("", ","),
    ],
)
def test_separators_of_csv(sample: str, separator: str) -> None:
    assert separator_of(sample) == separator


async def test_html_without_its_navigation(parsers: Parsers, tmp_path: Path) -> None:
    page = (
        "<html><head><title>T</title><script>var x</script></head><body><nav>menu</nav><h1>Head</h1><p>one <b>two</b>"
        "</p><ul><li>i1</li></ul><table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>tail</body></html>"
    )
    document = await read(parsers, written(tmp_path / "a.html", page))
    assert document.blocks == (
        Block("heading", "Head", level=1),
        Block("paragraph", "one two"),
        Block("item", "i1"),
        Block("row", "A: 1; B: 2"),
        Block("paragraph", "tail"),
    )


async def test_xml_and_its_bombs(parsers: Parsers, tmp_path: Path) -> None:
    assert (await read(parsers, written(tmp_path / "a.xml", "<r><a>one</a> two</r>"))).text == "a: one\n\ntwo"
    laughs = '<!DOCTYPE r [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    with pytest.raises(UnreadableError):
        await read(parsers, written(tmp_path / "b.xml", f"{laughs}]><r>&j;</r><"))
    secret = written(tmp_path / "secret.txt", "hunter2")
    outside = f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]><r>a &x; b</r>'
    assert "hunter2" not in (await read(parsers, written(tmp_path / "c.xml", outside))).text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "电池续航十一小时。\n\n第二段。"),
        ("utf-8-sig", "one\n\ntwo"),
        ("utf-16", "一\n\n二"),
        ("gb18030", "第一段。\n\n第二段说的是电池。"),
        ("cp1252", "Größe und Gewicht – die Maße\n\nzwei Füße"),
    ],
)
async def test_text_of_any_encoding(parsers: Parsers, tmp_path: Path, encoding: str, text: str) -> None:
    document = await read(parsers, written(tmp_path / "a.txt", text.encode(encoding)))
    assert document.text == text


async def test_lists_in_plain_text(parsers: Parsers, tmp_path: Path) -> None:
    document = await read(parsers, written(tmp_path / "a.txt", "Rules:\n1. first\n2. second\n   goes on\n一、第三"))
    assert [block.text for block in document.blocks] == ["Rules:", "1. first", "2. second\ngoes on", "一、第三"]


async def refused(parsers: Parsers, path: Path) -> UnreadableError:
    with pytest.raises(UnreadableError) as refusal:
        await read(parsers, path)
    return refusal.value


async def test_what_cannot_be_read_says_why(parsers: Parsers, tmp_path: Path) -> None:
    junk = bytes(range(256)) * 99
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
    blank = tmp_path / "scan.pdf"
    documents.pdf_without_text(blank)
    for path, code, words in (
        (written(tmp_path / "junk.pdf", junk), "invalid_file", "no PDF"),
        (written(tmp_path / "junk.docx", b"PK\x03\x04" + junk), "invalid_file", "cannot be unpacked"),
        (written(tmp_path / "junk.xls", ole), "invalid_file", "damaged"),
        (written(tmp_path / "locked.docx", ole), "invalid_file", "password"),
        (written(tmp_path / "old.doc", ole), "unsupported_file", "save it as .docx"),
        (written(tmp_path / "old.ppt", ole), "unsupported_file", "save it as .pptx"),
        (documents.pdf(tmp_path / "locked.pdf", password="x"), "invalid_file", "password"),
        (documents.with_macros(tmp_path / "macros.docx"), "unsupported_file", "macros"),
        (documents.bomb(tmp_path / "bomb.docx"), "invalid_file", "unpacks to far more"),
        (blank, "unsupported_file", "no text"),
    ):
        refusal = await refused(parsers, path)
        assert (refusal.code, words in refusal.message) == (code, True), refusal.message
    assert (await read(parsers, written(tmp_path / "good.txt", "still here"))).text == "still here"


async def test_too_many_pages_and_too_much_text(tmp_path: Path) -> None:
    parsers = Parsers(ParsingLimits(pages=2, characters=100))
    assert "3 pages" in (await refused(parsers, documents.pdf(tmp_path / "a.pdf", pages=3))).message
    document = await read(parsers, written(tmp_path / "a.txt", "word " * 18 + "\n\n" + "more " * 18))
    assert document.truncated
    assert len(document.text) <= 100
    await parsers.close()


@pytest.mark.parametrize("text", ["word " * 60_000, "电" * 300_000, "a" * 300_000])
async def test_a_text_without_end_comes_in_pieces(parsers: Parsers, tmp_path: Path, text: str) -> None:
    """The server takes an answer in at once: none is large."""
    path = written(tmp_path / "a.html", f"<p>{text}</p>" * 3)
    shares, gathered = [], []
    async with aclosing(parsers.read(path, "html")) as steps:
        async for share, blocks in steps:
            assert len(blocks) <= 64
            assert all(0 < len(block.text) <= 10_000 for block in blocks)
            shares.append(share)
            gathered += [block.text for block in blocks]
    assert shares == sorted(shares)
    assert shares[0] < 1
    assert "".join(gathered).replace(" ", "") == text.replace(" ", "") * 3


async def test_more_memory_or_time_than_allowed_is_a_refusal(tmp_path: Path) -> None:
    large = written(tmp_path / "a.md", "*a* [b](c)\n" * 400_000)
    small = Parsers(ParsingLimits(memory_mb=256))
    assert "memory" in (await refused(small, large)).message
    assert not small._children.idle  # what it took is given back with the process
    assert (await read(small, written(tmp_path / "b.txt", "next"))).text == "next"
    await small.close()
    quick = Parsers(ParsingLimits(cpu_s=1, memory_mb=4096))
    assert "too long" in (await refused(quick, large)).message
    assert (await read(quick, written(tmp_path / "b.txt", "next"))).text == "next"
    await quick.close()


async def read_while(parsers: Parsers, path: Path, deaths: int, ended_by: signal.Signals) -> str:
    """A document's text, while the first ``deaths`` processes that read it are ended."""
    blocks: list[Block] = []
    async with aclosing(parsers.read(path, "txt")) as steps:
        async for _, more in steps:
            blocks += more
            if deaths and more:
                deaths -= 1
                for child in psutil.Process().children():
                    with suppress(psutil.ZombieProcess, psutil.NoSuchProcess):  # one of an earlier test
                        if "vivavoce.knowledge.parsing.child" in child.cmdline():
                            child.send_signal(ended_by)
    return "\n\n".join(block.text for block in blocks)


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_process_that_dies_is_replaced_once(parsers: Parsers, tmp_path: Path, ended_by: signal.Signals) -> None:
    lines = [f"line {n}" for n in range(100_000)]
    path = written(tmp_path / "a.txt", "\n\n".join(lines))
    assert (await read_while(parsers, path, 1, ended_by)).split("\n\n") == lines  # nothing twice, nothing missing


async def test_one_whose_reading_dies_again_is_refused_unless_somebody_else_ended_it(tmp_path: Path) -> None:
    parsers = Parsers(ParsingLimits(characters=100 * MIB))
    path = written(tmp_path / "a.txt", f"{'a long line ' * 500}\n\n" * 6_000)  # more than fits between the processes
    with pytest.raises(UnreadableError, match="damaged"):
        await read_while(parsers, path, 2, signal.SIGSEGV)
    with pytest.raises(EngineError, match="ended from outside") as caught:
        await read_while(parsers, path, 2, signal.SIGKILL)
    assert caught.value.retriable
    assert await read_while(parsers, written(tmp_path / "b.txt", "next"), 0, signal.SIGKILL) == "next"
    await parsers.close()


async def test_processes_that_died_while_they_waited_cost_nobody_a_document(
    parsers: Parsers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor one of the two tries there are for it."""
    path = written(tmp_path / "a.txt", "first")
    await asyncio.gather(read(parsers, path), read(parsers, path))
    assert len(parsers._children.idle) == 2
    for child in parsers._children.idle:
        os.kill(child.pid, signal.SIGKILL)
        child._process.wait()
    assert (await read(parsers, path)).text == "first"
    assert not caplog.records


async def test_a_reading_that_is_given_up_frees_its_place(tmp_path: Path) -> None:
    parsers = Parsers(capacity=1)
    large = written(tmp_path / "a.txt", "line\n\n" * 200_000)
    async with aclosing(parsers.read(large, "txt")) as steps:
        async for _share, blocks in steps:
            assert blocks
            break
    async with asyncio.timeout(20):
        assert (await read(parsers, written(tmp_path / "b.txt", "next"))).text == "next"
    await parsers.close()


async def test_nothing_is_left_of_a_process_that_reads_while_all_is_closed(tmp_path: Path) -> None:
    parsers = Parsers()
    async with aclosing(parsers.read(written(tmp_path / "a.txt", "line\n\n" * 1000), "txt")) as steps:
        await anext(steps)
        await parsers.close()
        assert [step async for step in steps]
    assert not parsers._children.idle


async def test_a_pdf_of_64_megabytes(parsers: Parsers, tmp_path: Path) -> None:
    document = await read(parsers, documents.large_pdf(tmp_path / "large.pdf", 64 * MIB))
    assert documents.PARAGRAPH in document.text
