"""The data of earlier versions, moved to its place before a command uses it."""

from __future__ import annotations

from rich.console import Console

from vivavoce.config import Config


def ensure_data_folder(config: Config) -> None:
    """Move what an earlier version kept in the cache folder, and say so. Raises ``StoreError``."""
    from vivavoce.store.relocation import relocate  # databases are loaded only by commands that use one

    if relocation := relocate(config):
        Console(stderr=True).print(str(relocation), style="yellow", highlight=False, markup=False, soft_wrap=True)
