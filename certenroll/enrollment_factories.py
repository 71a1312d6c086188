"""The two factories of web pages: IX509EnrollmentWebClassFactory and IX509MachineEnrollmentFactory.

A web page may create these two alone, and everything else through them. What comes from the first obeys the web's
restrictions: its enrollment objects have ``web_restricted`` set, by which InstallResponse refuses AllowNoOutstandingRequest
and AllowUntrustedCertificate. Source: the pages of both interfaces, and of IX509Enrollment::InstallResponse.
"""

from __future__ import annotations

from typing import Final

from certenroll import registry
from certenroll.com import ComObject
from certenroll.enrollment_helper import IX509EnrollmentHelper
from certenroll.enrollments import IX509Enrollment
from certenroll.enums import X509CertificateEnrollmentContext
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT

_LONGEST_TEXT: Final = 64_000  # characters
_HELPER: Final = "CX509EnrollmentHelper"
# What a web page may have, by the table of IX509EnrollmentWebClassFactory::CreateObject.
WEB_CLASSES: Final = frozenset({
    "CCertProperties", "CCertPropertyDescription", "CCertPropertyFriendlyName", "CCspInformation", "CCspInformations",
    "CCspStatus", "CObjectId", "CObjectIds", "CSignerCertificate", "CX500DistinguishedName",
    "CX509CertificateRequestCmc", "CX509CertificateRequestPkcs10", "CX509CertificateRequestPkcs7", "CX509Enrollment",
    "CX509EnrollmentHelper", "CX509Extension", "CX509ExtensionEnhancedKeyUsage", "CX509ExtensionKeyUsage",
    "CX509Extensions", "CX509ExtensionTemplate", "CX509ExtensionTemplateName", "CX509PrivateKey",
})


class IX509EnrollmentWebClassFactory(ComObject):
    """Creates objects for a web page, in the user's context."""

    def CreateObject(self, strProgID: str) -> object:
        """A new object; an IX509EnrollmentHelper is initialized for the user already.

        Args:
            strProgID: "X509Enrollment." and the name of a coclass of WEB_CLASSES.

        Raises:
            ComError: E_NOINTERFACE for any other.
        """
        coclass = _coclass(strProgID)
        if coclass not in WEB_CLASSES:
            raise ComError(HRESULT.E_NOINTERFACE, f"a web page cannot create {strProgID!r}")
        if coclass == _HELPER:
            return _helper(X509CertificateEnrollmentContext.ContextUser)
        made = registry.create(strProgID)
        if isinstance(made, IX509Enrollment):
            made.web_restricted = True
        return made


class IX509MachineEnrollmentFactory(ComObject):
    """Creates an IX509EnrollmentHelper that asks for the machine's certificates."""

    def CreateObject(self, strProgID: str) -> IX509EnrollmentHelper:
        """A helper that is initialized with ContextAdministratorForceMachine.

        Args:
            strProgID: "X509Enrollment.CX509EnrollmentHelper".

        Raises:
            ComError: E_INVALIDARG for no ProgID, WIN32_ARITHMETIC_OVERFLOW for one above 64,000 characters or with a NUL in
                it, E_NOINTERFACE for another.
        """
        if not strProgID:
            raise BadArgument(HRESULT.E_INVALIDARG, "a ProgID is needed", argerror=0)
        if len(strProgID) > _LONGEST_TEXT or "\0" in strProgID:
            detail = f"the ProgID is longer than {_LONGEST_TEXT} characters or holds a NUL character"
            raise BadArgument(HRESULT.WIN32_ARITHMETIC_OVERFLOW, detail, argerror=0)
        if _coclass(strProgID) != _HELPER:
            raise ComError(HRESULT.E_NOINTERFACE, f"{strProgID!r} cannot be created here; X509Enrollment.{_HELPER} can")
        return _helper(X509CertificateEnrollmentContext.ContextAdministratorForceMachine)


def _coclass(prog_id: str) -> str:
    """The coclass that a ProgID names, or "" where none does."""
    try:
        return registry.coclass_of(prog_id)
    except ComError:
        return ""


def _helper(context: X509CertificateEnrollmentContext) -> IX509EnrollmentHelper:
    made = IX509EnrollmentHelper()
    made.Initialize(context)
    return made
