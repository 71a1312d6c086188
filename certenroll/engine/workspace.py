"""Where an object of the model works: one profile with its stores, its key stores, its CAs and a clock.

Every object of one context (user or machine) shares one workspace; a change of XENROLL_HOME gives a new one. Knows no COM.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from certenroll.enums import X509CertificateEnrollmentContext as Context
from keystores.base import Scope

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


_open: dict[tuple[str, Scope], Workspace] = {}
_lock = threading.Lock()


def open_workspace(context: int = Context.ContextUser) -> Workspace:
    """The workspace of an enrollment context. What a crash left unfinished there is resumed when it is first opened.

    Args:
        context: an X509CertificateEnrollmentContext; everything but ContextUser and ContextNone is the machine's.
    """
    from certenroll.stores.profile import open_profile

    scope = Scope.USER if context in (Context.ContextUser, Context.ContextNone) else Scope.MACHINE
    profile = open_profile(scope)
    key = (f"{profile.directory}:{os.getpid()}", scope)
    with _lock:
        found = _open.get(key)
        if found is None:
            found = _open[key] = Workspace(profile)
            from certenroll.engine.recovery import recover

            recover(found)
    return found
