"""What a certificate template says, and what a CA says of itself, as plain values: the middle between policy documents,
the local CA's templates and the objects that scripts see. Knows neither XML nor COM.

The flags are those of MS-CRTD (sections 2.4 and 2.26 to 2.28), under the names that certenroll.h gives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from functools import cached_property
from typing import Final

from certenroll.asn1 import extensions as codec
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import Extension

AT_KEYEXCHANGE: Final = 1
AT_SIGNATURE: Final = 2


class EnrollmentFlags(IntFlag):
    """X509CertificateTemplateEnrollmentFlag."""

    EnrollmentIncludeSymmetricAlgorithms = 0x1
    EnrollmentPendAllRequests = 0x2
    EnrollmentPublishToKRAContainer = 0x4
    EnrollmentPublishToDS = 0x8
    EnrollmentAutoEnrollmentCheckUserDSCertificate = 0x10
    EnrollmentAutoEnrollment = 0x20
    EnrollmentPreviousApprovalValidateReenrollment = 0x40
    EnrollmentUserInteractionRequired = 0x100
    EnrollmentRemoveInvalidCertificateFromPersonalStore = 0x400
    EnrollmentAllowEnrollOnBehalfOf = 0x800
    EnrollmentReuseKeyOnFullSmartCard = 0x2000
    EnrollmentNoRevocationInfoInCerts = 0x4000
    EnrollmentIncludeBasicConstraintsForEECerts = 0x8000


class SubjectNameFlags(IntFlag):
    """X509CertificateTemplateSubjectNameFlag."""

    SubjectNameEnrolleeSupplies = 0x1
    SubjectNameAndAlternativeNameOldCertSupplies = 0x8
    SubjectAlternativeNameEnrolleeSupplies = 0x10000
    SubjectAlternativeNameRequireDomainDNS = 0x400000
    SubjectAlternativeNameRequireSPN = 0x800000
    SubjectAlternativeNameRequireDirectoryGUID = 0x1000000
    SubjectAlternativeNameRequireUPN = 0x2000000
    SubjectAlternativeNameRequireEmail = 0x4000000
    SubjectAlternativeNameRequireDNS = 0x8000000
    SubjectNameRequireDNS = 0x10000000
    SubjectNameRequireEmail = 0x20000000
    SubjectNameRequireCommonName = 0x40000000
    SubjectNameRequireDirectoryPath = 0x80000000


class PrivateKeyFlags(IntFlag):
    """X509CertificateTemplatePrivateKeyFlag."""

    PrivateKeyRequireArchival = 0x1
    PrivateKeyExportable = 0x10
    PrivateKeyRequireStrongKeyProtection = 0x20
    PrivateKeyRequireAlternateSignatureAlgorithm = 0x40
    PrivateKeyRequireSameKeyRenewal = 0x80
    PrivateKeyUseLegacyProvider = 0x100


class GeneralFlags(IntFlag):
    """X509CertificateTemplateGeneralFlag."""

    GeneralMachineType = 0x40
    GeneralCA = 0x80
    GeneralCrossCA = 0x800
    GeneralDonotPersist = 0x1000
    GeneralDefault = 0x10000
    GeneralModified = 0x20000


@dataclass(frozen=True)
class TemplateFacts:
    """Everything that a template says. None is a value that it leaves open; object identifiers are in dots.

    Attributes:
        common_name: its name, by which requests ask for it.
        schema_version: 1 to 4.
        friendly_name, oid: how it is shown and identified.
        validity_seconds, renewal_seconds: how long a certificate is valid, and how long before its end it is renewed.
        enroll, auto_enroll: what whoever was given this policy may do.
        minimum_key_size: bits.
        key_spec: AT_KEYEXCHANGE or AT_SIGNATURE, for CSPs.
        key_usage_property: the key's own usage, for key storage providers.
        key_security: SDDL of the key.
        key_algorithm, hash_algorithm: identifiers.
        crypto_providers: names; any provider where it is empty.
        major_revision, minor_revision: its version.
        superseded: the names of templates that it takes the place of.
        private_key_flags, subject_name_flags, enrollment_flags, general_flags: bits of the classes above.
        ra_signatures, ra_ekus, ra_policies: how many signatures a request needs, and what those who sign must be allowed.
        symmetric_algorithm, symmetric_key_length: how an archived key is encrypted, in bits.
        extensions: what goes into the request; a value may be empty where it follows from the template itself.
        authorities: the reference numbers of the CAs that issue it.
        security_descriptor: SDDL; policy documents have no place for it but a foreign element.
    """

    common_name: str
    schema_version: int = 2
    friendly_name: str | None = None
    oid: str | None = None
    validity_seconds: int = 31_536_000
    renewal_seconds: int = 3_628_800
    enroll: bool = True
    auto_enroll: bool = False
    minimum_key_size: int = 2048
    key_spec: int | None = None
    key_usage_property: int | None = None
    key_security: str | None = None
    key_algorithm: str | None = None
    crypto_providers: tuple[str, ...] = ()
    major_revision: int = 100
    minor_revision: int | None = None
    superseded: tuple[str, ...] = ()
    private_key_flags: int | None = None
    subject_name_flags: int | None = None
    enrollment_flags: int | None = None
    general_flags: int | None = None
    hash_algorithm: str | None = None
    ra_signatures: int = 0
    ra_ekus: tuple[str, ...] = ()
    ra_policies: tuple[str, ...] = ()
    symmetric_algorithm: str | None = None
    symmetric_key_length: int = 0
    extensions: tuple[Extension, ...] = ()
    authorities: tuple[int, ...] = ()
    security_descriptor: str | None = None

    def _value(self, oid: str) -> bytes | None:
        return next((one.value for one in self.extensions if one.oid == oid and one.value), None)

    @property
    def ekus(self) -> tuple[str, ...]:
        """The enhanced key usages of the certificate. Raises DecodeError where the extension is malformed."""
        value = self._value(codec.EXTENDED_KEY_USAGE)
        return codec.decode_object_ids(value) if value is not None else ()

    @property
    def key_usage(self) -> int | None:
        """The X509KeyUsageFlags of the certificate. Raises DecodeError where the extension is malformed."""
        value = self._value(codec.KEY_USAGE)
        return codec.decode_key_usage(value) if value is not None else None

    @property
    def application_policies(self) -> tuple[str, ...]:
        """The application policies of the certificate. Raises DecodeError where the extension is malformed."""
        return self._policies(codec.APPLICATION_POLICIES)

    @property
    def issuance_policies(self) -> tuple[str, ...]:
        """The certificate policies of the certificate. Raises DecodeError where the extension is malformed."""
        return self._policies(codec.CERTIFICATE_POLICIES)

    def _policies(self, oid: str) -> tuple[str, ...]:
        value = self._value(oid)
        return tuple(policy.oid for policy in codec.decode_policies(value)) if value is not None else ()

    @property
    def request_extensions(self) -> tuple[Extension, ...]:
        """The extensions with their values: an empty template name is this template's, any other empty one is left out."""
        named = codec.encode_template_name(self.common_name)
        filled = (
            Extension(one.oid, one.critical, named) if one.oid == codec.TEMPLATE_NAME and not one.value else one
            for one in self.extensions
        )
        return tuple(one for one in filled if one.value)

    def _has(self, flags: int | None, flag: int) -> bool:
        return bool((flags or 0) & flag)

    @property
    def is_machine(self) -> bool:
        """Whether it is for computers, not for users."""
        return self._has(self.general_flags, GeneralFlags.GeneralMachineType)

    @property
    def is_default(self) -> bool:
        """Whether it is one of those that every installation has."""
        return self._has(self.general_flags, GeneralFlags.GeneralDefault)

    @property
    def exportable(self) -> bool:
        """Whether the private key may leave its store."""
        return self._has(self.private_key_flags, PrivateKeyFlags.PrivateKeyExportable)

    @property
    def archival(self) -> bool:
        """Whether the request must carry the private key for archival."""
        return self._has(self.private_key_flags, PrivateKeyFlags.PrivateKeyRequireArchival)

    @property
    def alternate_signature(self) -> bool:
        """Whether the request must be signed in PKCS #1 v2.1's way (PSS)."""
        return self._has(self.private_key_flags, PrivateKeyFlags.PrivateKeyRequireAlternateSignatureAlgorithm)

    @property
    def subject_from_request(self) -> bool:
        """Whether the one who asks gives the subject."""
        return self._has(self.subject_name_flags, SubjectNameFlags.SubjectNameEnrolleeSupplies)


@dataclass(frozen=True)
class AuthorityUri:
    """Where a CA takes requests.

    Attributes:
        uri: the address.
        authentication: an X509EnrollmentAuthFlags value.
        priority: the smaller, the sooner; None where none is given.
        renewal_only: whether nothing but renewals is taken there.
    """

    uri: str
    authentication: int = 2
    priority: int | None = None
    renewal_only: bool | None = None


@dataclass(frozen=True)
class AuthorityFacts:
    """What a policy says of one CA.

    Attributes:
        reference: its number, which templates use.
        certificate: DER.
        uris: where it takes requests; none for a CA that is reached by its configuration string.
        enroll: whether whoever was given this policy may ask it.
        config: ``host\\name``, or "".
        templates: the names of those it issues.
        description: a sentence, or "".
    """

    reference: int
    certificate: bytes
    uris: tuple[AuthorityUri, ...] = ()
    enroll: bool = True
    config: str = ""
    templates: tuple[str, ...] = ()
    description: str = ""

    @cached_property
    def facts(self) -> Certificate:
        """Its certificate, read. Raises DecodeError."""
        return read_certificate(self.certificate)

    @property
    def renewal_only(self) -> bool:
        """Whether it has addresses and takes nothing but renewals at each of them."""
        return bool(self.uris) and all(one.renewal_only for one in self.uris)
