"""What a platform has around its models: their list and weights, the account, keys, and the upkeep of keys and files."""

from __future__ import annotations

from vivavoce.http import keys, models, weights
from vivavoce.http.core import Core
from vivavoce.http.maintenance import start_maintenance
from vivavoce.http.services.base import Routes


class PlatformService(Routes):
    """Starts what a server does by itself."""

    def __init__(self) -> None:
        super().__init__(models.router, weights.router, keys.router)

    async def open(self, core: Core) -> None:
        """Start the workers, which end with the server's supervisor."""
        core.shared.add(weights.background_pulls(core.config))
        start_maintenance(core)
