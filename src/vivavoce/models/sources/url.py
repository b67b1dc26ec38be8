"""A file the authors publish at a fixed address; a broken download goes on where it stopped."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from vivavoce.models.catalogue import UrlSpec
from vivavoce.models.sources.base import DownloadJob, SourceError
from vivavoce.models.sources.host_probe import HostProbe

_TRIES = 4
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)


class UrlSource:
    """Downloads over HTTP with ranges."""

    def __init__(self, reach: HostProbe | None = None) -> None:
        self._reach = reach or HostProbe()

    def fetch(self, spec: UrlSpec, job: DownloadJob) -> None:
        """Download the file, taking up a part left by an earlier try. Raises ``SourceError`` or its subclass."""
        url = spec.url.format(file=job.file.name)
        address = urlsplit(url)
        self._reach.require(f"{address.scheme}://{address.netloc}")
        broken: httpx.TransportError | None = None
        for _ in range(_TRIES):
            try:
                self._download(url, job)
            except httpx.TransportError as error:
                broken = error
            except httpx.HTTPError as error:
                raise SourceError(f"{url}: {error}") from error
            else:
                return
        raise SourceError(f"{url} broke off {_TRIES} times: {str(broken) or type(broken).__name__}") from broken

    def _download(self, url: str, job: DownloadJob) -> None:
        had = job.target.stat().st_size if job.target.exists() else 0
        offset = had if had < job.file.size_bytes else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as response:
            if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
                raise SourceError(f"{url} answers {response.status_code} {response.reason_phrase}")
            # Raw pieces as they arrive: collecting larger ones would lose the last when the connection breaks.
            # A server that ignores the range sends the whole file: write it from the start.
            start = offset if response.status_code == httpx.codes.PARTIAL_CONTENT else 0
            job.write(response.iter_raw(), offset=start)
