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
from certenroll.engine.key_lookup import key_of
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import X509CertificateEnrollmentContext
from certenroll.enums import X509RequestInheritOptions as Inherit
from certenroll.errors import ComError
from certenroll.extension_types import extension_from
from certenroll.hresults import HRESULT
from certenroll.private_keys import IX509PrivateKey
from certenroll.public_keys import IX509PublicKey, public_key_from_spki

if TYPE_CHECKING:
    from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10

ALTERNATIVE_NAME: Final = "2.5.29.17"
_TEMPLATES: Final = ("1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7")
_OF_THE_KEY: Final = ("2.5.29.14", "2.5.29.35")  # the identifiers of the subject's and the issuer's keys are made anew
_DEFAULT: Final = int(Inherit.InheritNewDefaultKey | Inherit.InheritSubjectFlag | Inherit.InheritExtensionsFlag)


def inherit(
    request: IX509CertificateRequestPkcs10, context: X509CertificateEnrollmentContext, certificate: bytes, options: int
) -> None:
    """Initializes ``request`` from a certificate.

    Args:
        request: a blank request.
        context: for whom.
        certificate: DER, or a 20-byte thumbprint of a certificate in MY.
        options: X509RequestInheritOptions; InheritDefault takes the subject and the extensions, with a new key.

    Raises:
        ComError: CRYPT_E_NOT_FOUND for an unknown thumbprint, NTE_NO_KEY where the certificate's key is wanted and is
            not here, E_INVALIDARG for a key choice that there is not.
    """
    workspace = open_workspace(context)
    found = _certificate(workspace, certificate)
    options = options or _DEFAULT
    choice = _KEYS.get(options & Inherit.InheritKeyMask)
    if choice is None:
        raise ComError(HRESULT.E_INVALIDARG, f"there is no way to inherit a key numbered {options & Inherit.InheritKeyMask}")
    request.inherit_key(context, choice(workspace, found, context))
    request.inherit_certificate(found.der, renew=bool(options & Inherit.InheritRenewalCertificateFlag))
    if options & Inherit.InheritSubjectFlag:
        request.Subject = distinguished_name(found.subject)
    for extension in found.extensions:
        if _is_inherited(extension.oid, options):
            request.X509Extensions.Add(extension_from(extension))


def _certificate(workspace: Workspace, data: bytes) -> Certificate:
    if len(data) == 20:
        stored = workspace.certificates.get("MY", data)
        if stored is None:
            raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"no certificate in MY has the thumbprint {data.hex()}")
        return read_certificate(stored.der)
    try:
        return read_certificate(data)
    except DecodeError as error:
        raise ComError(error.hresult, f"neither a certificate nor a thumbprint: {error}") from error


def _is_inherited(oid: str, options: int) -> bool:
    if oid in _OF_THE_KEY:
        return False
    if oid in _TEMPLATES and options & Inherit.InheritTemplateFlag:
        return True
    if oid == ALTERNATIVE_NAME and options & Inherit.InheritSubjectAltNameFlag:
        return True
    return bool(options & Inherit.InheritExtensionsFlag)


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
        key.KeySpec = info.key_spec
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
    key.KeySpec = info.key_spec
    key.Existing = True
    return key


def _public_key(
    _workspace: Workspace, certificate: Certificate, _context: X509CertificateEnrollmentContext
) -> IX509PublicKey:
    return public_key_from_spki(certificate.public_key_info)


_Choice = Callable[[Workspace, Certificate, X509CertificateEnrollmentContext], IX509PrivateKey | IX509PublicKey]
_KEYS: Final[dict[int, _Choice]] = {
    int(Inherit.InheritDefault): _default_key,
    int(Inherit.InheritNewDefaultKey): _default_key,
    int(Inherit.InheritNewSimilarKey): _similar_key,
    int(Inherit.InheritPrivateKey): _existing_key,
    int(Inherit.InheritPublicKey): _public_key,
}
