"""Speech to text: recordings in a request, streams over a socket, and files behind URLs, which are read in the background."""

from __future__ import annotations

from vivavoce.closing import CloseStack
from vivavoce.http import asr, asr_stream, transcriptions
from vivavoce.http.core import Core
from vivavoce.http.services.base import Routes
from vivavoce.transcription.tasks import RecordingTasks


class TranscriptionService(Routes):
    """Opens the tasks of the recordings behind URLs."""

    def __init__(self) -> None:
        super().__init__(asr.router, asr_stream.router, transcriptions.router)
        self._opened = CloseStack()

    async def open(self, core: Core) -> None:
        """Go on with the tasks that were left. Raises ``StoreError``."""
        engines = core.engines
        tasks = RecordingTasks(
            core.store,
            core.fetcher,
            engines.recognition,
            engines.vad,
            engines.decoder,
            supervisor=core.supervisor,
            max_s=core.config.limits.recording_minutes * 60,
            multiple_owners=core.owners.multiple,
        )
        core.shared.add(self._opened.add(tasks))
        await tasks.open()

    async def close(self) -> None:
        """Leave the tasks for the next start."""
        await self._opened.aclose()
