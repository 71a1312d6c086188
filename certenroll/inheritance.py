"""IX509CertificateRequestPkcs10::InitializeFromCertificate: a request that takes after a certificate.

The low four bits of the options say which key is taken, the flags what else: a table. Source: the pages of
InitializeFromCertificate and X509RequestInheritOptions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.distinguished_names import distinguished_name
from certenroll.engine.certificate_lookup import LONGEST_NAME, find_certificate
from certenroll.engine.key_lookup import key_of
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import X509CertificateEnrollmentContext, X509KeySpec
from certenroll.enums import X509RequestInheritOptions as Inherit
from certenroll.errors import ComError
from certenroll.extension_types import extension_from
from certenroll.hresults import HRESULT
from certenroll.pkcs10_decoding import template_in
from certenroll.private_keys import IX509PrivateKey
from certenroll.public_keys import IX509PublicKey, public_key_from_spki

if TYPE_CHECKING:
    from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10

ALTERNATIVE_NAME: Final = "2.5.29.17"
_TEMPLATES: Final = ("1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7")
# What InheritExtensionsFlag leaves out, by the page of X509RequestInheritOptions; and the key identifier of the old key.
_LEFT_OUT: Final = frozenset(
    {
        *_TEMPLATES,
        "1.3.6.1.4.1.311.21.1",  # CA version
        "1.3.6.1.4.1.311.21.2",  # hash of the CA's previous certificate
        "1.3.6.1.5.5.7.1.1",  # authority information access
        "2.5.29.31",  # CRL distribution points
        "2.5.29.35",  # authority key identifier
        "2.5.29.14",
    }
)
_WHAT: Final = (
    Inherit.InheritRenewalCertificateFlag
    | Inherit.InheritTemplateFlag
    | Inherit.InheritSubjectFlag
    | Inherit.InheritExtensionsFlag
    | Inherit.InheritSubjectAltNameFlag
    | Inherit.InheritValidityPeriodFlag
)
_DEFAULT: Final = (
    Inherit.InheritSubjectFlag
    | Inherit.InheritExtensionsFlag
    | Inherit.InheritValidityPeriodFlag
    | Inherit.InheritTemplateFlag
)


def inherit(
    request: IX509CertificateRequestPkcs10,
    context: X509CertificateEnrollmentContext,
    certificate: bytes,
    options: int,
    *,
    by_name: bool = False,
) -> None:
    """Initializes ``request`` from a certificate.

    Args:
        request: a blank request.
        context: for whom.
        certificate: DER, or (``by_name``) a thumbprint or serial number.
        options: X509RequestInheritOptions. No choice of a key is InheritNewSimilarKey; no flag, and no InheritNone, is
            subject, extensions, validity period and template. A PKCS#10 has no place for a validity period.
        by_name: whether ``certificate`` may be digits that name one in a store.

    Raises:
        ComError: CRYPT_E_NOT_FOUND where digits name no certificate, NTE_NO_KEY where the certificate's key is wanted
            and is not here, E_INVALIDARG for a key choice that there is not, or for InheritNone with a flag.
    """
    choice = options & Inherit.InheritKeyMask or int(Inherit.InheritNewSimilarKey)
    what = options & int(_WHAT)
    if choice not in _KEYS:
        raise ComError(HRESULT.E_INVALIDARG, f"there is no way to inherit a key numbered {choice}")
    if what and options & Inherit.InheritNone:
        raise ComError(HRESULT.E_INVALIDARG, "InheritNone and a flag that inherits something contradict each other")
    if not what and not options & Inherit.InheritNone:
        what = int(_DEFAULT)
    workspace = open_workspace(context)
    found = _certificate(workspace, certificate, choice, by_name=by_name)
    request.inherit_key(context, _KEYS[choice](workspace, found, context))
    _inherit_contents(request, found, what)


def inherits_validity(options: int) -> bool:
    """Whether X509RequestInheritOptions ask for the validity period: by its flag, or by default."""
    what = options & int(_WHAT)
    if not what and not options & Inherit.InheritNone:
        what = int(_DEFAULT)
    return bool(what & Inherit.InheritValidityPeriodFlag)


def _inherit_contents(request: IX509CertificateRequestPkcs10, found: Certificate, what: int) -> None:
    template = template_in({one.oid: one.value for one in found.extensions}) if what & Inherit.InheritTemplateFlag else ""
    request.inherit_certificate(found.der, renew=bool(what & Inherit.InheritRenewalCertificateFlag), template=template)
    if what & Inherit.InheritSubjectFlag:
        request.Subject = distinguished_name(found.subject)
    for extension in found.extensions:
        if _is_inherited(extension.oid, what):
            request.X509Extensions.Add(extension_from(extension))


def _certificate(workspace: Workspace, data: bytes, choice: int, *, by_name: bool) -> Certificate:
    if by_name and len(data) <= LONGEST_NAME:
        with_key = choice == Inherit.InheritPrivateKey
        return read_certificate(find_certificate(workspace, data, digits=True, with_key=with_key).der)
    try:
        return read_certificate(data)
    except DecodeError as error:
        raise ComError(error.hresult, f"neither a certificate nor the digits that name one: {error}") from error


def _is_inherited(oid: str, what: int) -> bool:
    if oid in _TEMPLATES and what & Inherit.InheritTemplateFlag:
        return True
    if oid == ALTERNATIVE_NAME and what & Inherit.InheritSubjectAltNameFlag:
        return True
    return bool(what & Inherit.InheritExtensionsFlag) and oid not in _LEFT_OUT


def _default_key(
    _workspace: Workspace, _certificate: Certificate, context: X509CertificateEnrollmentContext
) -> IX509PrivateKey:
    key = IX509PrivateKey()
    key.MachineContext = context != X509CertificateEnrollmentContext.ContextUser
    return key


def _similar_key(
    workspace: Workspace, certificate: Certificate, context: X509CertificateEnrollmentContext
) -> IX509PrivateKey:
    public_key = public_key_from_spki(certificate.public_key_info)
    key = _default_key(workspace, certificate, context)
    key.Algorithm = public_key.Algorithm
    key.Length = public_key.Length
    info = key_of(workspace, certificate.public_key_info)
    if info is not None:
        key.ProviderName = info.provider_name
        key.KeySpec = X509KeySpec(info.key_spec)
    return key


def _existing_key(
    workspace: Workspace, certificate: Certificate, context: X509CertificateEnrollmentContext
) -> IX509PrivateKey:
    info = key_of(workspace, certificate.public_key_info)
    if info is None:
        raise ComError(HRESULT.NTE_NO_KEY, "the certificate's private key is in none of the key stores")
    key = _default_key(workspace, certificate, context)
    key.ProviderName = info.provider_name
    key.ContainerName = info.container
    key.KeySpec = X509KeySpec(info.key_spec)
    key.Existing = True
    return key


def _public_key(
    _workspace: Workspace, certificate: Certificate, _context: X509CertificateEnrollmentContext
) -> IX509PublicKey:
    return public_key_from_spki(certificate.public_key_info)


_Choice = Callable[[Workspace, Certificate, X509CertificateEnrollmentContext], IX509PrivateKey | IX509PublicKey]
_KEYS: Final[dict[int, _Choice]] = {
    int(Inherit.InheritNewDefaultKey): _default_key,
    int(Inherit.InheritNewSimilarKey): _similar_key,
    int(Inherit.InheritPrivateKey): _existing_key,
    int(Inherit.InheritPublicKey): _public_key,
}
