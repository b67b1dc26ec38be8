"""What the searches of one reply found, and the answer that is held to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field, replace

from vivavoce.hosted import HostedEvent
from vivavoce.tools.checked_answer import Generate, checked_answer, evidence_in, honest_answer
from vivavoce.tools.tool_run import ToolRun
from vivavoce.types import GenerationOptions, Message, ServerToolEnded, ToolResult

SEARCHES = frozenset({"retrieval", "web_search"})
"""Kinds of tools whose results answers are held to."""


@dataclass(slots=True)
class Searched:
    """``results`` of the searches that did not fail; ``documents``: of documents, too."""

    results: list[ToolResult] = field(default_factory=list)
    documents: bool = False

    def add(self, ended: Iterable[ServerToolEnded]) -> None:
        """Take in what of ``ended`` are searches."""
        found = [one for one in ended if one.kind in SEARCHES and not one.result.failed]
        self.results += [one.result for one in found]
        self.documents = self.documents or any(one.kind == "retrieval" for one in found)

    @property
    def sure(self) -> bool:
        """Whether the answer is surely there."""
        return any(result.sure for result in self.results)

    def answer(
        self,
        generate: Generate,
        prompt: Sequence[Message],
        options: GenerationOptions,
        run: ToolRun,
        question: str,
        *,
        silent: bool,
        may_call: bool,
    ) -> AsyncGenerator[HostedEvent, None]:
        """What ``generate`` yields for ``prompt``, held to what was found. ``silent``: no tool at all has told anything;
        ``may_call``: it is the model's to call."""
        if run.guard is None or options.schema is not None or not self.results:
            return generate(prompt, options)
        written, language = replace(options, voice=None), run.context.language
        if silent and self.documents and run.asks_documents and _says_freely(run):
            return honest_answer(generate, prompt, written, language, may_call=may_call)
        evidence = evidence_in(prompt, self.results, question, web=not self.documents)
        return checked_answer(generate, prompt, written, evidence, language)


def _says_freely(run: ToolRun) -> bool:
    """Whether there is nothing that has to be in every answer, which only the model can say."""
    return run.manner is None or not (run.manner.rules.opening or run.manner.rules.closing or run.manner.rules.required)
