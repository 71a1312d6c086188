"""What the later versions of IX509CertificateRequestPkcs10 added: templates as objects, a challenge password, attestation.

Holds values and turns some of them into attributes; what attests a key is ``engine.attestation``. A key that must be
attested and cannot be is refused, before it is made where that is known by then. Source: the pages of
IX509CertificateRequestPkcs10V2, V3 and V4; docs/analysis/attestation.md.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from certenroll.asn1 import attributes
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.attributes import ARCHIVAL_CIPHERS, NAME_VALUE_PAIR, TRIPLE_DES, NameValuePair
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import Attribute
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType, KeyAttestationClaimType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.name_value_pairs import IX509NameValuePairs
from certenroll.object_ids import IObjectId, object_id
from certenroll.pkcs10_properties import Pkcs10Properties
from certenroll.requests import BASE64, once_initialized
from certenroll.template_wishes import apply_to_request
from keystores.errors import KeyStoreError

if TYPE_CHECKING:
    from certenroll.ca.policies.template_facts import TemplateFacts
    from certenroll.engine.attestation import EvidenceOrder
    from certenroll.policy_servers import IX509EnrollmentPolicyServer
    from certenroll.templates import IX509CertificateTemplate

_log = logging.getLogger(__name__)

CHALLENGE_PASSWORD: Final = "1.2.840.113549.1.9.7"  # the attribute's object id, no password  # noqa: S105
_SIZES: Final = {oid: 168 if oid == TRIPLE_DES else 8 * size for oid, (size, _) in ARCHIVAL_CIPHERS.items()}


class Pkcs10Versions(Pkcs10Properties):
    """The properties of versions 2 to 4."""

    def __init__(self) -> None:
        super().__init__()
        self._policy_server: IX509EnrollmentPolicyServer | None = None
        self._template_object: IX509CertificateTemplate | None = None
        self._challenge = ""
        self._pairs = IX509NameValuePairs()
        self._attestation_certificate = b""
        self._attestation_cipher = TRIPLE_DES

    AttestPrivateKey = once_initialized(
        "bool", "_attest", False, "Whether the private key must be attested; a TPM does, and Encode refuses any other."
    )

    AttestPrivateKeyPreferred = once_initialized(
        "bool", "_attest_preferred", False, "Whether the key is attested only where that is possible."
    )

    ClaimType = once_initialized(
        "KeyAttestationClaimType", "_claim_type", KeyAttestationClaimType.XCN_NCRYPT_CLAIM_NONE, "The kind of attestation."
    )

    @property
    def PolicyServer(self) -> IX509EnrollmentPolicyServer:
        """Where the template came from. Raises CERTSRV_E_PROPERTY_EMPTY where none was given as an object."""
        self._context.get()
        if self._policy_server is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request was made without a policy server")
        return self._policy_server

    @property
    def Template(self) -> IX509CertificateTemplate:
        """The template. Raises CERTSRV_E_PROPERTY_EMPTY where none was given as an object."""
        self._context.get()
        if self._template_object is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request was made without a template object")
        return self._template_object

    @property
    def ChallengePassword(self) -> str:
        """The challenge password that goes into the request. Raises CERTSRV_E_PROPERTY_EMPTY where none was set."""
        self._context.get()
        if not self._challenge:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no challenge password was set")
        return self._challenge

    @ChallengePassword.setter
    def ChallengePassword(self, Value: str) -> None:
        self._context.get()
        self.check_unsealed()
        self._challenge = Value

    @property
    def NameValuePairs(self) -> IX509NameValuePairs:
        """Names and values that go into the request, each as an attribute."""
        self._context.get()
        return self._pairs

    def AttestationEncryptionCertificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The certificate that an attestation is encrypted for. Raises CERTSRV_E_PROPERTY_EMPTY where none was set."""
        self._context.get()
        if not self._attestation_certificate:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no attestation encryption certificate was set")
        return encode_text(self._attestation_certificate, Encoding)

    def SetAttestationEncryptionCertificate(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Sets the certificate that an attestation is encrypted for. Raises CRYPT_E_ASN1_* where it is none."""
        self._context.get()
        self.check_unsealed()
        self._attestation_certificate = read_certificate(decode_text(Value, Encoding)).der

    @property
    def EncryptionAlgorithm(self) -> IObjectId:
        """The cipher for an attestation: Triple DES where none was set."""
        self._context.get()
        return object_id(self._attestation_cipher)

    @EncryptionAlgorithm.setter
    def EncryptionAlgorithm(self, pValue: IObjectId) -> None:
        self._context.get()
        self.check_unsealed()
        if pValue.dotted_value() not in _SIZES:
            raise ComError(HRESULT.NTE_BAD_ALGID, f"no attestation is encrypted with {pValue.dotted_value()}")
        self._attestation_cipher = pValue.dotted_value()

    @property
    def EncryptionStrength(self) -> int:
        """The length of that cipher's key in bits; setting another one is NTE_BAD_LEN."""
        self._context.get()
        return _SIZES[self._attestation_cipher]

    @EncryptionStrength.setter
    def EncryptionStrength(self, Value: int) -> None:
        if Value not in (0, self.EncryptionStrength):
            raise ComError(HRESULT.NTE_BAD_LEN, f"the cipher's key has {self.EncryptionStrength} bits")
        self.check_unsealed()

    # What Encode uses.

    def check_attestation(self) -> None:
        """Refuses, before the key is made, what cannot be attested although it must be.

        Raises:
            ComError: NTE_NOT_SUPPORTED for a key that no TPM has or makes, and what ``EvidenceOrder.check`` raises.
        """
        if not self.AttestPrivateKey or self.AttestPrivateKeyPreferred:
            return
        key = self.key_object
        if key is None:
            raise ComError(HRESULT.NTE_NOT_SUPPORTED, "a request without a private key brings no evidence for one")
        if not key.Opened and not key.Existing:
            from certenroll.engine.attestation import check_location

            check_location(key.KeyLocation, key.ProviderName)
        self._evidence_order().check(open_workspace(self._context.get()))

    def _evidence_order(self) -> EvidenceOrder:
        from certenroll.engine.attestation import EvidenceOrder

        return EvidenceOrder(self.ClaimType, self._attestation_certificate, self._attestation_cipher)

    def _evidence(self) -> tuple[Attribute, ...]:
        """The attributes by which the key is attested; none where it is not to be, or is preferred to be and cannot."""
        key = self.key_object
        if key is None or not (self.AttestPrivateKey or self.AttestPrivateKeyPreferred):
            return ()
        from certenroll.asn1.attestation import evidence_attributes
        from certenroll.engine.attestation import evidence_for

        workspace = open_workspace(self._context.get())
        try:
            found = evidence_for(workspace, key.provider_info(), self._evidence_order(), key.pin_secret())
        except (ComError, KeyStoreError, UnsupportedAlgorithm) as error:
            if not self.AttestPrivateKeyPreferred:
                raise
            _log.info("the request goes without evidence for its key: %s", error)
            return ()
        return evidence_attributes(found)

    def version_attributes(self) -> tuple[Attribute, ...]:
        """The attributes of challenge password, name-value pairs and attestation; the key is made by now."""
        made = [*self._evidence()]
        if self._challenge:
            made.append(Attribute(CHALLENGE_PASSWORD, (attributes.encode_challenge_password(self._challenge),)))
        for one in self._pairs:  # an attribute for each: many readers take no attribute with several values
            value = attributes.encode_name_value_pair(NameValuePair(one.Name, one.Value))
            made.append(Attribute(NAME_VALUE_PAIR, (value,)))
        return tuple(made)

    def note_template(self, server: IX509EnrollmentPolicyServer, template: IX509CertificateTemplate) -> TemplateFacts:
        """Takes over what a template asks of a request. Gives all that it says."""
        facts = template.template_facts()
        self._policy_server, self._template_object = server, template
        self._template = facts.oid or facts.common_name
        apply_to_request(self, facts)
        return facts
