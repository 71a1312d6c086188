"""From what a script set to a signed PKCS#10: the default extensions and attributes, their order, the signature.

Knows no objects of the model but the signature's. Source: IX509CertificateRequest::Encode and SuppressDefaults, the
lists of IX509CertificateRequestPkcs10::SuppressOids; the attributes of the requests that Microsoft documents byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from certenroll.asn1 import attributes, extensions, pkcs10
from certenroll.asn1.certificates import public_key_identifier
from certenroll.asn1.der import Attribute, Extension, encode_extensions
from certenroll.engine.client_identity import OS_VERSION, client_identity
from certenroll.enums import X509KeyUsageFlags
from certenroll.smime import default_capabilities
from keystores.base import KeyAlgorithm, KeyInfo, KeyUse, PrivateKey

if TYPE_CHECKING:
    from certenroll.signatures import IX509SignatureInformation
    from certenroll.stores.properties import KeyProviderInfo

_USAGES: Final[dict[KeyAlgorithm, dict[KeyUse, int]]] = {
    KeyAlgorithm.RSA: {
        KeyUse.SIGN: X509KeyUsageFlags.XCN_CERT_DIGITAL_SIGNATURE_KEY_USAGE,
        KeyUse.DECRYPT: X509KeyUsageFlags.XCN_CERT_KEY_ENCIPHERMENT_KEY_USAGE,
    },
    KeyAlgorithm.EC: {
        KeyUse.SIGN: X509KeyUsageFlags.XCN_CERT_DIGITAL_SIGNATURE_KEY_USAGE,
        KeyUse.AGREE: X509KeyUsageFlags.XCN_CERT_KEY_AGREEMENT_KEY_USAGE,
    },
}
TEMPLATE_EXTENSIONS: Final = frozenset({extensions.TEMPLATE, extensions.TEMPLATE_NAME})  # one of them names a template
EXTENSION_ATTRIBUTES: Final = frozenset({attributes.EXTENSION_REQUEST, attributes.CERT_EXTENSIONS})


@dataclass(frozen=True)
class Assembly:
    """All that goes into a request.

    Attributes:
        subject, public_key_info: DER.
        private_key: what signs, or None for a null-signed request.
        signature: hash and form of the signature.
        template: the template's name or object id, or "".
        extensions, attributes: the caller's, in the caller's order.
        critical: object ids of the extensions that are critical whatever they say themselves.
        from_template: those of the extensions that a template brought.
        suppressed: object ids of the defaults, and of what a template brought, that stay out.
        defaults: whether there are any defaults at all.
        smime_capabilities: whether the S/MIME capabilities extension is added.
        client_id: RequestClientInfoClientId.
        provider: where the key is, or None.
        key: the facts about the private key, or None where there is none.
        renewal_certificate: DER of the certificate that is renewed, or b"".
    """

    subject: bytes
    public_key_info: bytes
    private_key: PrivateKey | None
    signature: IX509SignatureInformation
    template: str
    extensions: tuple[Extension, ...]
    attributes: tuple[Attribute, ...]
    critical: frozenset[str]
    from_template: tuple[Extension, ...]
    suppressed: frozenset[str]
    defaults: bool
    smime_capabilities: bool
    client_id: int
    provider: KeyProviderInfo | None
    key: KeyInfo | None
    renewal_certificate: bytes


def assemble(parts: Assembly, *, legacy_hashes: bool) -> pkcs10.CertificationRequest:
    """The signed request.

    Args:
        parts: what goes into it.
        legacy_hashes: whether SHA-1 and MD5 are signed as they were asked for.
    """
    all_attributes = _attributes(parts)
    if parts.private_key is None:
        return pkcs10.null_signed(parts.subject, parts.public_key_info, all_attributes)
    signer = parts.signature.signer_for(parts.private_key, legacy_hashes=legacy_hashes)
    return pkcs10.build(parts.subject, parts.public_key_info, all_attributes, signer)


def _attributes(parts: Assembly) -> tuple[Attribute, ...]:
    given = {attribute.oid for attribute in parts.attributes}
    defaults = [attribute for attribute in _default_attributes(parts) if attribute.oid not in given]
    found = [*defaults, *parts.attributes]
    wanted = wanted_extensions(parts)
    if wanted:
        found.append(Attribute(attributes.EXTENSION_REQUEST, (encode_extensions(wanted),)))
    return tuple(found)


def _default_attributes(parts: Assembly) -> Iterator[Attribute]:
    if not parts.defaults:
        return
    who = client_identity()
    info = attributes.ClientInfo(parts.client_id, who.machine, who.user, who.process)
    candidates = {
        attributes.OS_VERSION: attributes.encode_os_version(OS_VERSION),
        attributes.CLIENT_INFO: attributes.encode_client_info(info),
    }
    if parts.provider is not None:
        provider = attributes.CspProvider(int(parts.provider.key_spec), parts.provider.provider_name)
        candidates[attributes.CSP_PROVIDER] = attributes.encode_csp_provider(provider)
    if parts.renewal_certificate:
        candidates[attributes.RENEWAL_CERTIFICATE] = parts.renewal_certificate
    for oid, value in candidates.items():
        if oid not in parts.suppressed:
            yield Attribute(oid, (value,))


def wanted_extensions(parts: Assembly) -> tuple[Extension, ...]:
    """The caller's extensions and the defaults, in their order; critical where either the caller or the list says so."""
    own = tuple(_of_template(one, parts) for one in parts.extensions if not _is_suppressed(one, parts))
    given = {extension.oid for extension in own}
    template = [template_extension(parts.template)] if parts.template and not given & TEMPLATE_EXTENSIONS else []
    defaults = [one for one in _default_extensions(parts) if one.oid not in parts.suppressed] if parts.defaults else []
    before, after = ([one for one in made if one.oid not in given] for made in (template, defaults))
    return tuple(
        replace(extension, critical=extension.critical or extension.oid in parts.critical)
        for extension in (*before, *own, *after)
    )


def _is_suppressed(extension: Extension, parts: Assembly) -> bool:
    return extension in parts.from_template and extension.oid in parts.suppressed


def _of_template(extension: Extension, parts: Assembly) -> Extension:
    """A template's key usage for the key that there is: where an RSA key would encipher keys, an EC key agrees on them."""
    is_rsa = parts.key is None or parts.key.algorithm is KeyAlgorithm.RSA
    if is_rsa or extension.oid != extensions.KEY_USAGE or extension not in parts.from_template:
        return extension
    usage = extensions.decode_key_usage(extension.value)
    encipher = int(X509KeyUsageFlags.XCN_CERT_KEY_ENCIPHERMENT_KEY_USAGE)
    agree = int(X509KeyUsageFlags.XCN_CERT_KEY_AGREEMENT_KEY_USAGE)
    fitting = usage & ~encipher | agree if usage & encipher else usage
    return replace(extension, value=extensions.encode_key_usage(fitting))


def _default_extensions(parts: Assembly) -> Iterator[Extension]:
    if parts.smime_capabilities:
        yield Extension(extensions.SMIME_CAPABILITIES, False, extensions.encode_smime_capabilities(default_capabilities()))
    key_id = public_key_identifier(parts.public_key_info)
    yield Extension(extensions.SUBJECT_KEY_IDENTIFIER, False, extensions.encode_subject_key_identifier(key_id))
    usage = _key_usage(parts.key) if parts.key is not None else 0
    if usage:
        yield Extension(extensions.KEY_USAGE, False, extensions.encode_key_usage(usage))


def template_extension(template: str) -> Extension:
    """The extension that names a template by its object id, or by its name."""
    if template[0].isdigit():
        return Extension(extensions.TEMPLATE, False, extensions.encode_template(extensions.Template(template)))
    return Extension(extensions.TEMPLATE_NAME, False, extensions.encode_template_name(template))


def _key_usage(key: KeyInfo) -> int:
    """X509KeyUsageFlags of what the key may do and its algorithm can."""
    return sum(usage for use, usage in _USAGES[key.algorithm].items() if use in key.use)
