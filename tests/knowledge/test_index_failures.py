"""What the index's own SQLite says, in the store's words."""

from __future__ import annotations

import apsw
import pytest

from vivavoce.errors import StoreBusyError, StoreError, StoreFullError
from vivavoce.knowledge.index.failures import index_error


@pytest.mark.parametrize(
    ("error", "kind"),
    [(apsw.BusyError(), StoreBusyError), (apsw.FullError(), StoreFullError), (apsw.CorruptError(), StoreError)],
)
def test_what_an_error_means(error: apsw.Error, kind: type[StoreError]) -> None:
    assert type(index_error(error)) is kind
