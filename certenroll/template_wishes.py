"""What a certificate template fixes: the request's extensions and signature, the key's size, provider and policy.

It comes as an object of a policy server, or is found by its name in the directory. Knows neither. Source: the pages of the
Initialize methods of IX509CertificateRequestPkcs10 and IX509CertificateRequestPkcs10V2, which say what is taken from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.attributes import ARCHIVAL_CIPHERS
from certenroll.ca.policies.template_facts import EnrollmentFlags, PrivateKeyFlags, TemplateFacts
from certenroll.enums import X509KeySpec, X509PrivateKeyExportFlags, X509PrivateKeyProtection, X509PrivateKeyUsageFlags
from certenroll.extension_types import extension_from
from certenroll.object_ids import object_id
from keystores.errors import KeyStoreError
from keystores.providers import find_provider

if TYPE_CHECKING:
    from certenroll.pkcs10_properties import Pkcs10Properties
    from certenroll.private_keys import IX509PrivateKey


def apply_to_request(request: Pkcs10Properties, facts: TemplateFacts) -> None:
    """Gives a request the template's extensions, their criticality, its hash and form of signature, and its S/MIME wish.

    KeyUsage and BasicConstraints are critical by default; what the template says of an extension stands above that.

    Args:
        request: one that is initialized and not encoded.
        facts: the template.

    Raises:
        UnsupportedAlgorithm: the template wants a hash that is not known here.
        DecodeError: one of its extensions is malformed.
    """
    signature = request.SignatureInformation
    if facts.hash_algorithm:
        signature.HashAlgorithm = object_id(facts.hash_algorithm)
    if facts.key_algorithm:
        signature.PublicKeyAlgorithm = object_id(facts.key_algorithm)
    signature.AlternateSignatureAlgorithm = facts.alternate_signature
    request.SmimeCapabilities = bool((facts.enrollment_flags or 0) & EnrollmentFlags.EnrollmentIncludeSymmetricAlgorithms)
    says = {one.oid: one.critical for one in facts.extensions}
    defaults = [one.Value for one in request.CriticalExtensions]
    request.CriticalExtensions.Clear()
    for oid in dict.fromkeys([*defaults, *says]):
        if says.get(oid, True):
            request.CriticalExtensions.Add(object_id(oid))
    request.note_template_extensions(facts.request_extensions)
    for one in facts.request_extensions:
        request.X509Extensions.Add(extension_from(one))


def apply_to_key(key: IX509PrivateKey, facts: TemplateFacts) -> None:
    """Gives a key that is still to be made what the template says and its owner left open.

    That is algorithm, size, provider, use, and whether it may be exported.

    Args:
        key: the key; one that is there already stays as it is.
        facts: the template.
    """
    if not key.Opened and not key.Existing:
        key.take_template({member: value for member, value in _key_properties(facts).items() if value})


def _key_properties(facts: TemplateFacts) -> dict[str, Any]:
    """The properties of IX509PrivateKey that the template fixes; nothing where it leaves one open."""
    strong = (facts.private_key_flags or 0) & PrivateKeyFlags.PrivateKeyRequireStrongKeyProtection
    known = (one for one in facts.crypto_providers if _is_known(one))
    return {
        "ProviderName": next(known, next(iter(facts.crypto_providers), "")),
        "Algorithm": object_id(facts.key_algorithm) if facts.key_algorithm else None,
        "Length": facts.minimum_key_size,
        "KeySpec": X509KeySpec(facts.key_spec or 0),
        "KeyUsage": X509PrivateKeyUsageFlags(facts.key_usage_property or 0),
        "ExportPolicy": _export_policy(facts),
        "SecurityDescriptor": facts.key_security,
        "KeyProtection": X509PrivateKeyProtection.XCN_NCRYPT_UI_FORCE_HIGH_PROTECTION_FLAG if strong else None,
    }


def _export_policy(facts: TemplateFacts) -> X509PrivateKeyExportFlags:
    if facts.exportable:
        return X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_EXPORT_FLAG
    archiving = X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_ARCHIVING_FLAG
    return archiving if facts.archival else X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_EXPORT_NONE


def archival_cipher(facts: TemplateFacts) -> str | None:
    """The dotted OID of the cipher that an archived key is encrypted with; None where the template leaves it open.

    A template names AES without its mode and length (2.16.840.1.101.3.4.1), so the length decides.

    Raises:
        UnsupportedAlgorithm: the template archives keys with a cipher that is not known here.
    """
    named = facts.symmetric_algorithm
    if not facts.archival or named is None or named in ARCHIVAL_CIPHERS:
        return named if facts.archival else None
    of_size = (oid for oid, (octets, _) in ARCHIVAL_CIPHERS.items() if 8 * octets == facts.symmetric_key_length)
    found = next((oid for oid in of_size if oid.startswith(f"{named}.")), None)
    if found is None:
        raise UnsupportedAlgorithm(f"no archived key is encrypted with {named} of {facts.symmetric_key_length} bits")
    return found


def _is_known(name: str) -> bool:
    try:
        find_provider(name)
    except KeyStoreError:
        return False
    return True
