"""Whose things that all use are: how much of a bounded whole one owner may hold while there are others.

One rule for everything shared (places, secrets, bytes, turns): an owner who holds less than their even part may have whatever
is free; beyond it they leave a quarter of the whole, and at least one, for others. So no owner takes the last one, an owner
that asks for little is not refused because of one that asks for much, and what nobody else asks for is not wasted. A server
with one owner, or without keys, has nobody to leave anything for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable


class Owners:
    """The owners a server has keys for. ``configured`` are those of the configuration; created keys bring more."""

    def __init__(self, configured: Iterable[str] = ()) -> None:
        self._configured = frozenset(configured)
        self._created: frozenset[str] = frozenset()

    def multiple(self) -> bool:
        """Whether there is more than one."""
        return len(self._configured | self._created) > 1

    def add(self, owner: str) -> None:
        """This owner has come in with a key."""
        if owner not in self._configured and owner not in self._created:
            self._created |= {owner}

    def created(self, owners: Collection[str]) -> None:
        """These are the owners of all created keys that are valid now."""
        self._created = frozenset(owners)


class FairShares:
    """How much of ``capacity`` each owner holds; ``multiple_owners`` tells whether there are others to leave something for."""

    def __init__(self, capacity: int, multiple_owners: Callable[[], bool] = lambda: False) -> None:
        self.capacity = capacity
        self._multiple_owners = multiple_owners
        self._held: dict[str, int] = {}
        self._used = 0

    @property
    def multiple_owners(self) -> bool:
        """Whether there are others to leave something for."""
        return self._multiple_owners()

    @property
    def used(self) -> int:
        """What all hold together."""
        return self._used

    def held(self, owner: str) -> int:
        """What this owner holds."""
        return self._held.get(owner, 0)

    @property
    def reserve(self) -> int:
        """What an owner beyond their even part leaves."""
        return max(self.capacity // 4, 1) if self.capacity > 1 and self.multiple_owners else 0

    def fair_share(self, owner: str) -> int:
        """What this owner may have as long as it is free: an equal part among those who hold something, at least two."""
        return max(self.capacity // max(len(self._held.keys() | {owner}), 2), 1)

    def fits(self, owner: str, amount: int = 1) -> bool:
        """Whether this owner may take so much more now."""
        remaining = self.capacity - self._used - amount
        if remaining < 0:
            return False
        return self.held(owner) + amount <= self.fair_share(owner) or remaining >= self.reserve

    def full(self, amount: int = 1) -> bool:
        """Whether there is not so much left for anybody."""
        return self._used + amount > self.capacity

    def take(self, owner: str, amount: int = 1) -> None:
        """This owner holds so much more, whether it fits or not."""
        self._held[owner] = self.held(owner) + amount
        self._used += amount

    def give_back(self, owner: str, amount: int = 1) -> None:
        """This owner holds so much less."""
        remaining = self._held[owner] - amount
        self._used -= amount
        if remaining:
            self._held[owner] = remaining
        else:
            del self._held[owner]
