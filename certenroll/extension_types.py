"""The extensions whose values have members of their own: key usage, names, policies, Microsoft's templates.

Each object keeps the DER of its value and reads its members from it: what a script sees is what goes into the request.
A collection that a member returns is a copy; changing it changes no extension. Knows no requests.

Source: the nf-certenroll-ix509extension* pages.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Final, TypeVar

from certenroll.alternative_names import IAlternativeNames, alternative_name_from
from certenroll.asn1 import extensions, general_names
from certenroll.asn1.der import DecodeError, Extension
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import EncodingType, X509KeyUsageFlags
from certenroll.errors import ComError
from certenroll.extensions import BASE64, IX509Extension, dotted
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, IObjectIds, object_id
from certenroll.policies import ICertificatePolicies, policy_from
from certenroll.smime import ISmimeCapabilities, capability_from

S = TypeVar("S", bound=Sized)


def _some(value: S) -> S:
    """``value``, which RFC 5280 wants to hold something. Raises ComError E_INVALIDARG where it does not."""
    if not len(value):
        raise ComError(HRESULT.E_INVALIDARG, "the extension cannot be empty", argerror=0)
    return value


class _TypedExtension(IX509Extension):
    """An extension of one kind, which can be initialized from its DER."""

    def InitializeDecode(self, Encoding: EncodingType, strEncodedData: str | bytes) -> None:
        """Takes the DER of the extension's value.

        Args:
            Encoding: how the text holds it.
            strEncodedData: the value.

        Raises:
            ComError: a CRYPT_E_ASN1_* code where it is no value of this extension, WIN32_ALREADY_INITIALIZED on the
                second time.
        """
        self._take_value(decode_text(strEncodedData, Encoding))

    def _take_value(self, value: bytes) -> None:
        self._take(self._oid_, value)


class IX509ExtensionKeyUsage(_TypedExtension):
    """What the key may be used for."""

    _oid_ = extensions.KEY_USAGE

    def InitializeEncode(self, UsageFlags: X509KeyUsageFlags) -> None:
        """Takes the uses. Raises ComError E_INVALIDARG for a bit without meaning, WIN32_ALREADY_INITIALIZED."""
        self._take_value(extensions.encode_key_usage(UsageFlags))

    @property
    def KeyUsage(self) -> X509KeyUsageFlags:
        """The uses. Raises ComError OLE_E_BLANK."""
        return X509KeyUsageFlags(extensions.decode_key_usage(self.value_bytes()))

    def _check(self, value: bytes) -> None:
        extensions.decode_key_usage(value)


class IX509ExtensionEnhancedKeyUsage(_TypedExtension):
    """What the certificate may be used for."""

    _oid_ = extensions.EXTENDED_KEY_USAGE

    def InitializeEncode(self, pValue: IObjectIds) -> None:
        """Takes the uses. Raises ComError E_INVALIDARG for an empty collection, WIN32_ALREADY_INITIALIZED."""
        self._take_value(extensions.encode_object_ids(_some([one.dotted_value() for one in pValue])))

    @property
    def EnhancedKeyUsage(self) -> IObjectIds:
        """The uses. Raises ComError OLE_E_BLANK."""
        return IObjectIds([object_id(one) for one in extensions.decode_object_ids(self.value_bytes())])

    def _check(self, value: bytes) -> None:
        extensions.decode_object_ids(value)


class IX509ExtensionAlternativeNames(_TypedExtension):
    """Other names of the subject."""

    _oid_ = extensions.SUBJECT_ALTERNATIVE_NAME

    def InitializeEncode(self, pValue: IAlternativeNames) -> None:
        """Takes the names. Raises ComError E_INVALIDARG for an empty collection, WIN32_ALREADY_INITIALIZED."""
        self._take_value(general_names.encode_all(_some([one.to_general_name() for one in pValue])))

    @property
    def AlternativeNames(self) -> IAlternativeNames:
        """The names. Raises ComError OLE_E_BLANK."""
        return IAlternativeNames([alternative_name_from(one) for one in general_names.decode_all(self.value_bytes())])

    def _check(self, value: bytes) -> None:
        general_names.decode_all(value)


class IX509ExtensionBasicConstraints(_TypedExtension):
    """Whether the subject is a CA."""

    _oid_ = extensions.BASIC_CONSTRAINTS

    def InitializeEncode(self, IsCA: bool, PathLenConstraint: int) -> None:
        """Takes the constraints.

        Args:
            IsCA: whether the subject is a CA.
            PathLenConstraint: how many CA certificates may follow it; a negative number for any number of them. It
                says nothing where the subject is no CA (RFC 5280 section 4.2.1.9).

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time.
        """
        length = PathLenConstraint if IsCA and PathLenConstraint >= 0 else None
        self._take_value(extensions.encode_basic_constraints(extensions.BasicConstraints(IsCA, length)))

    @property
    def IsCA(self) -> bool:
        """Whether the subject is a CA. Raises ComError OLE_E_BLANK."""
        return extensions.decode_basic_constraints(self.value_bytes()).is_ca

    @property
    def PathLenConstraint(self) -> int:
        """How many CA certificates may follow; -1 for any number. Raises ComError OLE_E_BLANK."""
        length = extensions.decode_basic_constraints(self.value_bytes()).path_length
        return -1 if length is None else length

    def _check(self, value: bytes) -> None:
        extensions.decode_basic_constraints(value)


class IX509ExtensionSubjectKeyIdentifier(_TypedExtension):
    """The identifier of the subject's key."""

    _oid_ = extensions.SUBJECT_KEY_IDENTIFIER

    def InitializeEncode(self, Encoding: EncodingType, strKeyIdentifier: str | bytes) -> None:
        """Takes the identifier's octets. Raises ComError E_INVALIDARG where it has none, WIN32_ALREADY_INITIALIZED."""
        key_id = _some(decode_text(strKeyIdentifier, Encoding))
        self._take_value(extensions.encode_subject_key_identifier(key_id))

    def SubjectKeyIdentifier(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The identifier's octets. Raises ComError OLE_E_BLANK."""
        return encode_text(extensions.decode_subject_key_identifier(self.value_bytes()), Encoding)

    def _check(self, value: bytes) -> None:
        extensions.decode_subject_key_identifier(value)


class IX509ExtensionAuthorityKeyIdentifier(_TypedExtension):
    """The identifier of the issuer's key."""

    _oid_ = extensions.AUTHORITY_KEY_IDENTIFIER

    def InitializeEncode(self, Encoding: EncodingType, strKeyIdentifier: str | bytes) -> None:
        """Takes the identifier's octets. Raises ComError E_INVALIDARG where it has none, WIN32_ALREADY_INITIALIZED."""
        key_id = _some(decode_text(strKeyIdentifier, Encoding))
        value = extensions.AuthorityKeyIdentifier(key_id)
        self._take_value(extensions.encode_authority_key_identifier(value))

    def AuthorityKeyIdentifier(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The identifier's octets.

        Raises:
            ComError: OLE_E_BLANK before it is initialized, CERTSRV_E_PROPERTY_EMPTY where the extension names the
                issuer's certificate alone.
        """
        key_id = extensions.decode_authority_key_identifier(self.value_bytes()).key_id
        if key_id is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the extension holds no key identifier")
        return encode_text(key_id, Encoding)

    def _check(self, value: bytes) -> None:
        extensions.decode_authority_key_identifier(value)


class IX509ExtensionTemplateName(_TypedExtension):
    """The name of a version 1 template."""

    _oid_ = extensions.TEMPLATE_NAME

    def InitializeEncode(self, strTemplateName: str) -> None:
        """Takes the template's name. Raises ComError E_INVALIDARG where it is empty, WIN32_ALREADY_INITIALIZED."""
        self._take_value(extensions.encode_template_name(_some(strTemplateName)))

    @property
    def TemplateName(self) -> str:
        """The template's name. Raises ComError OLE_E_BLANK."""
        return extensions.decode_template_name(self.value_bytes())

    def _check(self, value: bytes) -> None:
        extensions.decode_template_name(value)


class IX509ExtensionTemplate(_TypedExtension):
    """A template of version 2 or later."""

    _oid_ = extensions.TEMPLATE

    def InitializeEncode(self, pTemplateOid: IObjectId | None, MajorVersion: int, MinorVersion: int) -> None:
        """Takes the template's identifier and version.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY without an identifier, WIN32_ALREADY_INITIALIZED on the second time.
        """
        value = extensions.Template(dotted(pTemplateOid), MajorVersion, MinorVersion)
        self._take_value(extensions.encode_template(value))

    @property
    def TemplateOid(self) -> IObjectId:
        """The template's identifier. Raises ComError OLE_E_BLANK."""
        return object_id(extensions.decode_template(self.value_bytes()).oid)

    @property
    def MajorVersion(self) -> int:
        """The template's major version, 0 where the extension has none. Raises ComError OLE_E_BLANK."""
        return extensions.decode_template(self.value_bytes()).major or 0

    @property
    def MinorVersion(self) -> int:
        """The template's minor version, 0 where the extension has none. Raises ComError OLE_E_BLANK."""
        return extensions.decode_template(self.value_bytes()).minor or 0

    def _check(self, value: bytes) -> None:
        extensions.decode_template(value)


class IX509ExtensionSmimeCapabilities(_TypedExtension):
    """The algorithms that the subject decrypts."""

    _oid_ = extensions.SMIME_CAPABILITIES

    def InitializeEncode(self, pValue: ISmimeCapabilities) -> None:
        """Takes the algorithms, best first. Raises ComError WIN32_ALREADY_INITIALIZED on the second time."""
        self._take_value(extensions.encode_smime_capabilities([one.to_capability() for one in pValue]))

    @property
    def SmimeCapabilities(self) -> ISmimeCapabilities:
        """The algorithms. Raises ComError OLE_E_BLANK."""
        return ISmimeCapabilities([capability_from(one) for one in extensions.decode_smime_capabilities(self.value_bytes())])

    def _check(self, value: bytes) -> None:
        extensions.decode_smime_capabilities(value)


class IX509ExtensionCertificatePolicies(_TypedExtension):
    """The policies under which the certificate is issued."""

    _oid_ = extensions.CERTIFICATE_POLICIES

    def InitializeEncode(self, pValue: ICertificatePolicies) -> None:
        """Takes the policies. Raises ComError E_INVALIDARG for an empty collection, WIN32_ALREADY_INITIALIZED."""
        self._take_value(extensions.encode_policies(_some([one.to_policy() for one in pValue])))

    @property
    def Policies(self) -> ICertificatePolicies:
        """The policies. Raises ComError OLE_E_BLANK."""
        return ICertificatePolicies([policy_from(one) for one in extensions.decode_policies(self.value_bytes())])

    def _check(self, value: bytes) -> None:
        extensions.decode_policies(value)


class IX509ExtensionMSApplicationPolicies(_TypedExtension):
    """What applications may use the certificate for; its policies have no qualifiers."""

    _oid_ = extensions.APPLICATION_POLICIES

    def InitializeEncode(self, pValue: ICertificatePolicies) -> None:
        """Takes the policies without their qualifiers. Raises ComError as IX509ExtensionCertificatePolicies does."""
        policies = [extensions.Policy(one.to_policy().oid) for one in pValue]
        self._take_value(extensions.encode_policies(_some(policies)))

    @property
    def Policies(self) -> ICertificatePolicies:
        """The policies. Raises ComError OLE_E_BLANK."""
        return ICertificatePolicies([policy_from(one) for one in extensions.decode_policies(self.value_bytes())])

    def _check(self, value: bytes) -> None:
        extensions.decode_policies(value)


_KINDS: Final[tuple[type[_TypedExtension], ...]] = (
    IX509ExtensionKeyUsage,
    IX509ExtensionEnhancedKeyUsage,
    IX509ExtensionAlternativeNames,
    IX509ExtensionBasicConstraints,
    IX509ExtensionSubjectKeyIdentifier,
    IX509ExtensionAuthorityKeyIdentifier,
    IX509ExtensionTemplateName,
    IX509ExtensionTemplate,
    IX509ExtensionSmimeCapabilities,
    IX509ExtensionCertificatePolicies,
    IX509ExtensionMSApplicationPolicies,
)
TYPES: Final[dict[str, type[IX509Extension]]] = {kind._oid_: kind for kind in _KINDS}


def extension_from(extension: Extension) -> IX509Extension:
    """The object for an extension of a request or a certificate.

    Returns:
        An object of the extension's own kind; a general one where the kind is not known or the value is not what the
        kind has.
    """
    made = TYPES.get(extension.oid, IX509Extension)()
    try:
        made._take(extension.oid, extension.value)
    except DecodeError:
        made = IX509Extension()
        made._take(extension.oid, extension.value)
    made.Critical = extension.critical
    return made
