"""Where an object of the model works: one profile with its stores, its key stores, its CAs and a clock.

``opening`` gives every object of one context (user or machine) the same one. Knows no COM.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certenroll.ca.base import CertificationAuthority
    from certenroll.stores.certificates import CertificateStore
    from certenroll.stores.journal import Journal
    from certenroll.stores.profile import Profile
    from certenroll.stores.requests import RequestStore
    from keystores.access import KeyStores

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time of the machine, in UTC."""
    return datetime.now(UTC)


class Workspace:
    """The stores of one profile.

    Args:
        profile: the opened profile.
        clock: gives the time; the machine's where it is left out.
    """

    def __init__(self, profile: Profile, clock: Clock = utc_now) -> None:
        self.profile = profile
        self.clock = clock

    @cached_property
    def key_stores(self) -> KeyStores:
        """The key stores of the profile's scope."""
        from certenroll.engine.key_settings import key_store_settings
        from keystores.access import KeyStores

        return KeyStores(key_store_settings(self.profile))

    @cached_property
    def certificates(self) -> CertificateStore:
        """MY, CA, ROOT, REQUEST and the stores that a script names itself."""
        from certenroll.stores.certificates import CertificateStore

        return CertificateStore(self.profile.database)

    @cached_property
    def requests(self) -> RequestStore:
        """The requests and how far each has come."""
        from certenroll.stores.requests import RequestStore

        return RequestStore(self.profile.database, self._seconds)

    @cached_property
    def journal(self) -> Journal:
        """The intents that are not confirmed yet."""
        from certenroll.stores.journal import Journal

        return Journal(self.profile.database, self._seconds)

    def _seconds(self) -> float:
        return self.clock().timestamp()

    def authority(self, config: str | None) -> CertificationAuthority:
        """The CA that ``config`` ("host\\name") names, or the profile's own where it names none. Raises CAError."""
        from certenroll.ca.directory import open_ca

        return open_ca(self.profile, config or None)
