"""The store of a server: its database and its blobs, opened together."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from vivavoce.config import Config
from vivavoce.config.keeping import StorageConfig
from vivavoce.errors import StoreError
from vivavoce.store.blobs import Blobs
from vivavoce.store.database import Database
from vivavoce.store.quota import Quota
from vivavoce.store.relocation import BLOBS, DATABASE, relocate

log = logging.getLogger(__name__)

S3_RETRIES = 5
S3_PATIENCE = timedelta(seconds=20)
"""How often, and for how long, a request is made that S3 does not answer."""


class Store:
    """Rows and blobs. ``rows`` and ``reading`` make database sessions (see ``Database``).

    ``quota`` says who may keep how much.
    """

    def __init__(self, database: Database, blobs: Blobs, quota: Quota | None = None) -> None:
        self.database = database
        self.rows = database.rows
        self.reading = database.reading
        self.blobs = blobs
        self.quota = quota or Quota()

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()


async def open_store(config: Config, quota: Quota | None = None) -> Store:
    """The configured store, its tables up to date and without what killed processes left. Raises ``StoreError``.

    What an earlier version left in the cache folder is moved to its place first.
    """
    if relocation := await asyncio.to_thread(relocate, config):
        log.warning("%s", relocation)
    database = Database(database_url(config))
    try:
        await database.migrate()
        objects, folder = await asyncio.to_thread(open_objects, config)
        store = Store(database, Blobs(objects, database, folder), quota)
        await asyncio.to_thread(database.disk_space.ensure_reserve)
        deleted = await store.blobs.sweep()
    except BaseException:
        await database.close()
        raise
    if deleted:
        log.info("deleted %d blobs an earlier process had left behind", deleted)
    return store


def database_url(config: Config) -> str:
    """The configured URL, or that of a SQLite file in the data folder."""
    if config.storage.url is not None:
        return config.storage.url.get_secret_value()
    return f"sqlite:///{config.data_folder / DATABASE}"


def open_objects(config: Config) -> tuple[ObjectStore, Path | None]:
    """The configured object store, and its folder if it is one. Raises ``StoreError``."""
    location = config.storage.blobs or str(config.data_folder / BLOBS)
    try:
        if location.startswith("s3://"):
            return _s3(location, config.storage), None
        if "://" in location:
            raise StoreError(f"Blobs cannot be kept in '{location}': a folder or s3://bucket/prefix is wanted.")
        folder = Path(location)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalStore(folder), folder
    except (BaseError, OSError, ValueError) as error:
        raise StoreError(f"Cannot open the blob store {location}: {error}") from error


def _s3(location: str, storage: StorageConfig) -> ObjectStore:
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    s3 = storage.s3
    return S3Store(
        bucket,
        prefix=prefix or None,
        endpoint=s3.endpoint,
        region=s3.region,
        access_key_id=s3.access_key_id.get_secret_value() if s3.access_key_id else None,
        secret_access_key=s3.secret_access_key.get_secret_value() if s3.secret_access_key else None,
        virtual_hosted_style_request=s3.virtual_hosted,
        client_options={"allow_http": (s3.endpoint or "").startswith("http://")},
        retry_config={"max_retries": S3_RETRIES, "retry_timeout": S3_PATIENCE},
    )
