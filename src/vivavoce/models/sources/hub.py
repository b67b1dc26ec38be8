"""Hugging Face, through its own client: mirrors (``HF_ENDPOINT``), tokens and resuming are the client's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vivavoce.models.catalogue import HuggingFaceSpec
from vivavoce.models.sources.base import DownloadJob, SourceError, SourceUnreachableError
from vivavoce.models.sources.host_probe import HostProbe

_POLL_S = 0.25
_SERVER_FAILS = 500


class HuggingFaceSource:
    """Downloads one file of a repository at a pinned revision."""

    def __init__(self, reach: HostProbe | None = None) -> None:
        self._reach = reach or HostProbe()

    def fetch(self, spec: HuggingFaceSpec, job: DownloadJob) -> None:
        """Download the file. Raises ``SourceError`` or ``SourceUnreachableError``."""
        # Imported here: the client takes half a second to import, and a start with all weights present never needs it.
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
        from huggingface_hub.utils.tqdm import disable_progress_bars

        if constants.HF_HUB_OFFLINE:
            raise SourceUnreachableError("HF_HUB_OFFLINE is set")
        self._reach.require(constants.ENDPOINT)
        disable_progress_bars()
        path = spec.path.format(file=job.file.name)
        try:
            with _watching(job.folder, job.report):
                fetched = hf_hub_download(spec.repo, path, revision=spec.revision, local_dir=job.folder)
        except (HfHubHTTPError, LocalEntryNotFoundError) as error:
            # The client wraps an answer without the hub's own error header; the answer is then the cause.
            answer = error if isinstance(error, HfHubHTTPError) else error.__cause__
            if isinstance(answer, HfHubHTTPError) and answer.response.status_code < _SERVER_FAILS:
                raise SourceError(_first_line(answer)) from error
            raise SourceUnreachableError(_first_line(answer or error)) from error
        except Exception as error:  # errors of its HTTP library pass through, and which that is differs by version
            raise SourceError(f"{type(error).__name__}: {_first_line(error)}") from error
        Path(fetched).replace(job.target)


@contextmanager
def _watching(folder: Path, report: Callable[[int], None]) -> Iterator[None]:
    """Report how much ``folder`` grows: the client's own progress hooks differ by version and by transfer method."""
    done = threading.Event()
    before = _size(folder)

    def watch() -> None:
        while not done.wait(_POLL_S):
            report(max(0, _size(folder) - before))

    watcher = threading.Thread(target=watch, name="download progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # the client renames its partial file while we look
            continue
    return total


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
