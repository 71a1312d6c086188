"""Which credential goes with which way of saying who one is to a policy server. Checks, and keeps nothing.

Source: the page of IX509EnrollmentPolicyServer::SetCredential.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from certenroll.enums import X509EnrollmentAuthFlags
from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT

_AUTH: Final = X509EnrollmentAuthFlags
_ALL: Final = _AUTH.X509AuthAnonymous | _AUTH.X509AuthKerberos | _AUTH.X509AuthUsername | _AUTH.X509AuthCertificate
_THUMBPRINT: Final = re.compile(r"[0-9A-Fa-f]{40}")

# The way -> whether a credential and a password go with it, and what does.
_CREDENTIALS: Final[dict[X509EnrollmentAuthFlags, tuple[Callable[[str, str], bool], str]]] = {
    _AUTH.X509AuthAnonymous: (lambda name, password: not name and not password, "no credential and no password"),
    _AUTH.X509AuthKerberos: (lambda name, password: not name and not password, "no credential and no password"),
    _AUTH.X509AuthUsername: (lambda name, password: bool(name), "a user name and a password"),
    _AUTH.X509AuthCertificate: (
        lambda name, password: bool(_THUMBPRINT.fullmatch("".join(name.split()))) and not password,
        "the SHA-1 thumbprint of a certificate in hexadecimal, and no password",
    ),
}


def check_auth_flags(flags: X509EnrollmentAuthFlags) -> None:
    """Raises BadArgument (E_INVALIDARG) where a bit has no meaning."""
    if int(flags) & ~int(_ALL):  # the complement of a flag knows its own bits alone
        raise BadArgument(HRESULT.E_INVALIDARG, f"X509EnrollmentAuthFlags has no value 0x{int(flags):X}", argerror=2)


def check_credential(flag: X509EnrollmentAuthFlags, credential: str, password: str) -> None:
    """Checks that a credential is of its kind.

    Args:
        flag: one way to say who one is.
        credential: a user's name, a certificate's thumbprint, or "".
        password: a password, or "".

    Raises:
        BadArgument: E_INVALIDARG for another flag, or texts that do not go with it. The texts stand in no message.
    """
    if flag not in _CREDENTIALS:
        known = ", ".join(str(one.name) for one in _CREDENTIALS)
        raise BadArgument(HRESULT.E_INVALIDARG, f"0x{int(flag):X} is not one of {known}", argerror=1)
    fits, wanted = _CREDENTIALS[flag]
    if not fits(credential, password):
        raise BadArgument(HRESULT.E_INVALIDARG, f"{flag.name} goes with {wanted}", argerror=2)
