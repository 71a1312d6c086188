"""Opening the workspace of an enrollment context: once a process and profile, with what a crash left there resumed first."""

from __future__ import annotations

import os
import threading

from certenroll.engine.recovery import recover
from certenroll.engine.workspace import Workspace
from certenroll.enums import X509CertificateEnrollmentContext as Context
from certenroll.stores.profile import open_profile
from keystores.base import Scope

_open: dict[tuple[str, int, Scope], Workspace] = {}
_lock = threading.Lock()


def open_workspace(context: int = Context.ContextUser) -> Workspace:
    """The workspace of an enrollment context. What a crash left unfinished there is resumed when it is first opened.

    Args:
        context: an X509CertificateEnrollmentContext; everything but ContextUser and ContextNone is the machine's.
    """
    scope = Scope.USER if context in (Context.ContextUser, Context.ContextNone) else Scope.MACHINE
    profile = open_profile(scope)
    key = (str(profile.directory), os.getpid(), scope)
    with _lock:
        found = _open.get(key)
        if found is None:
            found = Workspace(profile)
            recover(found)
            _open[key] = found
    return found
