"""The PKCS#10 that a SCEP enrollment asks with, made from its settings by the public object model.

Makes no key: the enrollment does, when it encodes the request. Knows no server. Where a setting goes in a request, and why
there, docs/analysis/scep-install.md says. Source: the Install nodes of the page "ClientCertificateInstall CSP"; MS-WCCE
section 2.2.2.7.10 for the period that is wished for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from certenroll.alternative_names import IAlternativeNames
from certenroll.distinguished_names import IX500DistinguishedName
from certenroll.enums import X509CertificateEnrollmentContext, X509KeyUsageFlags
from certenroll.extension_types import (
    IX509ExtensionAlternativeNames,
    IX509ExtensionEnhancedKeyUsage,
    IX509ExtensionKeyUsage,
    IX509ExtensionTemplate,
    IX509ExtensionTemplateName,
)
from certenroll.extensions import IX509Extension
from certenroll.mdm.scep_names import alternative_name
from certenroll.mdm.scep_settings import ScepSettings
from certenroll.name_value_pairs import IX509NameValuePair
from certenroll.object_ids import IObjectIds, object_id
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.private_keys import IX509PrivateKey
from keystores.base import Scope

RSA: Final = "1.2.840.113549.1.1.1"
CONTEXTS: Final = {
    Scope.USER: X509CertificateEnrollmentContext.ContextUser,
    Scope.MACHINE: X509CertificateEnrollmentContext.ContextMachine,
}
_HASHES: Final = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


def make_request(settings: ScepSettings, scope: Scope, container: str = "") -> IX509CertificateRequestPkcs10:
    """The request of an enrollment, ready to be encoded.

    Args:
        settings: what was ordered.
        scope: for whom.
        container: the name of the key's container; "" has one made.

    Raises:
        ComError: a setting cannot stand in a request; those of ``settings_of`` can.
    """
    request = IX509CertificateRequestPkcs10()
    request.InitializeFromPrivateKey(CONTEXTS[scope], _private_key(settings, scope, container), "")
    subject = IX500DistinguishedName()
    subject.Encode(settings.subject)
    request.Subject = subject
    request.HashAlgorithm = object_id(_HASHES[settings.hash_name])
    if settings.challenge:
        request.ChallengePassword = settings.challenge
    for extension in _extensions(settings):
        request.X509Extensions.Add(extension)
    for wish in _wishes(settings):
        request.NameValuePairs.Add(wish)
    request.UIContextMessage = settings.prompt
    return request


def _private_key(settings: ScepSettings, scope: Scope, container: str) -> IX509PrivateKey:
    """A key that signs and decrypts, whatever the certificate is for: the server's answer is encrypted for it."""
    key = IX509PrivateKey()
    key.MachineContext = scope is Scope.MACHINE
    key.KeyLocation = settings.key_location
    key.Algorithm = object_id(RSA)
    key.Length = settings.key_length
    key.UIContextMessage = settings.prompt
    if container:
        key.ContainerName = container
    return key


def _extensions(settings: ScepSettings) -> Iterator[IX509Extension]:
    """Key usage is critical by the request's own default (CriticalExtensions)."""
    usage = IX509ExtensionKeyUsage()
    usage.InitializeEncode(X509KeyUsageFlags(settings.key_usage))
    yield usage
    enhanced = IX509ExtensionEnhancedKeyUsage()
    enhanced.InitializeEncode(IObjectIds([object_id(one) for one in settings.ekus]))
    yield enhanced
    if settings.alternative_names:
        others = IX509ExtensionAlternativeNames()
        others.InitializeEncode(IAlternativeNames([alternative_name(*one) for one in settings.alternative_names]))
        yield others
    if settings.template:
        yield _template(settings.template)


def _template(text: str) -> IX509Extension:
    if text[0].isdigit():
        template = IX509ExtensionTemplate()
        template.InitializeEncode(object_id(text), 0, 0)
        return template
    named = IX509ExtensionTemplateName()
    named.InitializeEncode(text)
    return named


def _wishes(settings: ScepSettings) -> Iterator[IX509NameValuePair]:
    """The period for which the certificate is to be valid, as Microsoft's CA reads it of a request's attributes."""
    if settings.valid_units:
        for name, value in (("ValidityPeriod", settings.valid_period), ("ValidityPeriodUnits", str(settings.valid_units))):
            pair = IX509NameValuePair()
            pair.Initialize(name, value)
            yield pair
