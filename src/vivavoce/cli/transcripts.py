"""Both sides of a conversation as text, live."""

from __future__ import annotations

from rich.console import Console

from vivavoce.client.events import ReceivedEvent


class TranscriptPrinter:
    """Prints what the user said when it is known, and the reply word by word. Call it with every event."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._in_reply = False

    def __call__(self, event: ReceivedEvent) -> None:
        """Print what this event adds."""
        match event.type:
            case "conversation.item.input_audio_transcription.completed":
                self._line("you", event.text("transcript"), "cyan")
            case "response.audio_transcript.delta" | "response.text.delta":
                self._reply(event.text("delta"))
            case "response.done":
                status = event.nested("response").get("status")
                self._end_reply(f" ({status})" if status not in ("completed", None) else "")
            case "error":
                self._line("error", event.error_message, "red")

    def _line(self, speaker: str, text: str, style: str) -> None:
        self._end_reply("")
        self._console.print(f"[bold {style}]{speaker:>9}[/]  ", end="")
        self._console.print(text or "(nothing)", markup=False, highlight=False)

    def _reply(self, delta: str) -> None:
        if not self._in_reply:
            self._console.print(f"[bold green]{'vivavoce':>9}[/]  ", end="")
            self._in_reply = True
        self._console.print(delta, end="", markup=False, highlight=False, soft_wrap=True)

    def _end_reply(self, remark: str) -> None:
        if self._in_reply:
            self._console.print(remark, style="dim", markup=False, highlight=False)
        self._in_reply = False
