"""ICertRequest and its later versions: sending a request to a CA, and reading what it said.

The face of ``certenroll.ca`` towards scripts. Output parameters are return values. Knows no CA but by its protocol.
docs/analysis/certcli.md tells what was chosen where Microsoft's pages are silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from certenroll import enums
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.ca.base import Answer, CertificationAuthority, Disposition, Exchanger, Revoker, SerialFinder, Submission
from certenroll.ca.messages import Crls, read_attributes, response_part
from certenroll.ca.properties import Source, find_property, read_property
from certenroll.com import ComObject
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.client_identity import client_identity
from certenroll.enums import CERT_PROPERTY_TYPE, FULL_RESPONSE_PROPERTY_ID, EncodingType, X509EnrollmentAuthFlags
from certenroll.errors import BadArgument, ComError, translate
from certenroll.hresults import HRESULT, lookup, signed
from keystores.base import Secret

_SOURCE: Final = "CertCli"
_LARGEST_LONG: Final = 0x7FFFFFFF
_SERIAL: Final = re.compile(r"(?:(?!00)[0-9A-Fa-f]{2}[0-9A-Fa-f]*|00)")

# The encoding bits of CR_IN_* -> how the text is read.
_IN_ENCODINGS: Final = {
    EncodingType.XCN_CRYPT_STRING_BASE64HEADER: EncodingType.XCN_CRYPT_STRING_BASE64HEADER,
    EncodingType.XCN_CRYPT_STRING_BASE64: EncodingType.XCN_CRYPT_STRING_BASE64,
    EncodingType.XCN_CRYPT_STRING_BINARY: EncodingType.XCN_CRYPT_STRING_BINARY,
    enums.CR_IN_ENCODEANY: EncodingType.XCN_CRYPT_STRING_ANY,
}

# Of CR_OUT_*: everything that says how a value is written, and not what it holds.
_OUT_FORM: Final = enums.CR_OUT_ENCODEMASK | enums.CR_OUT_NOCRLF | enums.CR_OUT_NOCR

# How a credential goes with a way to authenticate: whether there is a name, whether there is a password.
_CREDENTIALS: Final = {
    X509EnrollmentAuthFlags.X509AuthAnonymous: (False, False),
    X509EnrollmentAuthFlags.X509AuthKerberos: (False, False),
    X509EnrollmentAuthFlags.X509AuthUsername: (True, True),
    X509EnrollmentAuthFlags.X509AuthCertificate: (True, False),
}


@dataclass(frozen=True)
class Credential:
    """What SetCredential was told."""

    kind: X509EnrollmentAuthFlags
    name: str
    password: Secret


class ICertRequest(ComObject):
    """Submits requests and retrieves their certificates.

    Raises (all members): RPC_SERVER_UNAVAILABLE where the configuration string names no CA that is known.
    """

    def __init__(self) -> None:
        self._authority: CertificationAuthority | None = None
        self._answer: Answer | None = None
        self._status = 0
        self._credential: Credential | None = None

    # ICertRequest -----------------------------------------------------------------------------------------------------

    def Submit(self, Flags: int, strRequest: str | bytes, strAttributes: str, strConfig: str) -> int:
        """Sends a request.

        Args:
            Flags: CR_IN_*: how strRequest is encoded, of which kind it is, and what is to be answered.
            strRequest: the request.
            strAttributes: ``Name:Value`` pairs, one a line.
            strConfig: ``host\\name``; empty for the default CA.

        Returns:
            CR_DISP_*. With CR_IN_CONNECTONLY nothing is sent and CR_DISP_INCOMPLETE comes back.

        Raises:
            ComError: E_INVALIDARG for an encoding that CR_IN_* does not have or attributes without a colon, 0x8007000D
                where strRequest is not in that encoding. A refusal is a disposition and no error.

        Source: ICertRequest::Submit.
        """
        with self._recorded():
            authority = self._connect(strConfig)
            if Flags & enums.CR_IN_CONNECTONLY:
                return int(Disposition.INCOMPLETE)
            encoding = _IN_ENCODINGS.get(Flags & enums.CR_IN_ENCODEMASK)
            if encoding is None:
                raise _invalid(0, f"Flags 0x{Flags & 0xFFFFFFFF:X} name no encoding of a request")
            request = decode_text(strRequest, encoding)
            attributes = read_attributes(strAttributes)
            flags = Flags & ~enums.CR_IN_ENCODEMASK & 0xFFFFFFFF
            return self._keep(authority.submit(Submission(request, attributes, flags, _requester(flags))))

    def RetrievePending(self, RequestId: int, strConfig: str) -> int:
        """Asks what became of a request. Returns CR_DISP_*, and 6 where its certificate was revoked since.

        Raises:
            ComError: CERTSRV_E_NO_REQUEST where the CA has no such request.

        Source: ICertRequest::RetrievePending.
        """
        with self._recorded():
            return self._keep(self._connect(strConfig).retrieve(str(RequestId & 0xFFFFFFFF)))

    def GetLastStatus(self) -> int:
        """The result code of the last Submit, RetrievePending or GetCACertificate: of the failed call, or of the refusal."""
        return self._status

    def GetRequestId(self) -> int:
        """The number of the request.

        Raises:
            ComError: OLE_E_BLANK before Submit, WIN32_ARITHMETIC_OVERFLOW where it is no number of 31 bits:
                GetRequestIdString has it.
        """
        text = self._answered().request_id
        if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_LONG:
            detail = f"{text!r} fits no Long: use GetRequestIdString"
            raise ComError(HRESULT.WIN32_ARITHMETIC_OVERFLOW, detail, source=_SOURCE)
        return int(text)

    def GetDispositionMessage(self) -> str:
        """The CA's sentence on the request. Raises ComError (OLE_E_BLANK) before Submit."""
        return self._answered().message

    def GetCACertificate(self, fExchangeCertificate: int, strConfig: str, Flags: int) -> str | bytes:
        """The certificate of a CA.

        Args:
            fExchangeCertificate: 0 for the certificate that signs; else for the one that requests are encrypted for.
            strConfig: ``host\\name``; empty for the default CA.
            Flags: CR_OUT_*.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY for the exchange certificate of a CA that says of none.

        Source: ICertRequest::GetCACertificate.
        """
        with self._recorded():
            authority = self._connect(strConfig, keep=False)
            own, *above = authority.certificates()
            if fExchangeCertificate:
                if not isinstance(authority, Exchanger):
                    raise _empty(f"{authority.config} has no exchange certificate that could be asked for")
                own, above = authority.exchange_certificate(), [own, *above]
            return _written(own, tuple(above), lambda: _crls_of(authority), Flags)

    def GetCertificate(self, Flags: int) -> str | bytes:
        """The certificate that was issued, alone or (CR_OUT_CHAIN) in a PKCS #7 with its chain.

        Args:
            Flags: CR_OUT_*.

        Raises:
            ComError: OLE_E_BLANK before Submit, CERTSRV_E_PROPERTY_EMPTY where none was issued.

        Source: ICertRequest::GetCertificate.
        """
        return _written(self._certificate(), self._answered().chain, self._crls, Flags)

    # ICertRequest2 ----------------------------------------------------------------------------------------------------

    def GetIssuedCertificate(self, strConfig: str, RequestId: int, strSerialNumber: str) -> int:
        """Asks what became of a request, by its number, or by the serial number of its certificate where RequestId is -1.

        Source: ICertRequest2::GetIssuedCertificate.
        """
        number = "" if RequestId & 0xFFFFFFFF == 0xFFFFFFFF else str(RequestId & 0xFFFFFFFF)
        return self._retrieve_issued(strConfig, number, strSerialNumber)

    def GetErrorMessageText(self, hrMessage: int, Flags: int) -> str:
        """The sentence of a result code.

        Args:
            hrMessage: the code.
            Flags: 0, or CR_GEMT_HRESULT_STRING for the code in hexadecimal and decimal behind it.
        """
        if Flags & ~(enums.CR_GEMT_HRESULT_STRING | enums.CR_GEMT_HTTP_ERROR):
            raise _invalid(1, f"0x{Flags & 0xFFFFFFFF:X} is no CR_GEMT_ flag")
        named = lookup(hrMessage)
        text = named.text if named is not None else "Unknown error."
        code = hrMessage & 0xFFFFFFFF
        return f"{text} 0x{code:08x} ({signed(code)})" if Flags & enums.CR_GEMT_HRESULT_STRING else text

    def GetCAProperty(self, strConfig: str, PropId: int, PropIndex: int, PropType: int, Flags: int) -> Any:
        """A property of a CA.

        Args:
            strConfig: ``host\\name``; empty for the default CA.
            PropId: CR_PROP_*.
            PropIndex: from 0, or -1 for the newest; not regarded where the property has no index.
            PropType: the property's type.
            Flags: CR_OUT_* for binary values; not regarded for others.

        Raises:
            ComError: E_INVALIDARG for an unknown property, a wrong type or index, CERTSRV_E_PROPERTY_EMPTY where this CA
                has no value for it.

        Source: ICertRequest2::GetCAProperty, ICertAdmin2::GetCAProperty.
        """
        source = Source(self._connect(strConfig, keep=False), datetime.now(UTC))
        value = read_property(source, PropId, PropIndex, PropType & 0xFF)
        return encode_text(value, Flags & _OUT_FORM) if isinstance(value, bytes) else value

    def GetCAPropertyFlags(self, strConfig: str, PropId: int) -> int:
        """The type of a property (PROPTYPE_*), and 0x10000 where it has an index."""
        self._connect(strConfig, keep=False)
        return find_property(PropId).flags

    def GetCAPropertyDisplayName(self, strConfig: str, PropId: int) -> str:
        """The name of a property for people to read."""
        self._connect(strConfig, keep=False)
        return find_property(PropId).title

    def GetFullResponseProperty(
        self, PropId: FULL_RESPONSE_PROPERTY_ID, PropIndex: int, PropType: CERT_PROPERTY_TYPE, Flags: int
    ) -> Any:
        """A part of the CA's answer.

        Args:
            PropId: FR_PROP_*.
            PropIndex: from 0; a full response may have several statuses, and has one of everything else.
            PropType: the property's type.
            Flags: CR_OUT_* for binary values; not regarded for others.

        Raises:
            ComError: OLE_E_BLANK before Submit, E_INVALIDARG for a wrong type or index, CERTSRV_E_PROPERTY_EMPTY where
                the answer has no such part.

        Source: ICertRequest2::GetFullResponseProperty.
        """
        answer = self._answered()
        value = response_part(answer, PropId, PropIndex, PropType, self._crls)
        if value is None:
            raise _empty(f"the answer has no {PropId.name}: {answer.message}")
        return encode_text(value, Flags & _OUT_FORM) if isinstance(value, bytes) else value

    # ICertRequest3 ----------------------------------------------------------------------------------------------------

    def SetCredential(self, hWnd: int, AuthType: X509EnrollmentAuthFlags, strCredential: str, strPassword: str) -> None:
        """Says who asks, to CAs that are reached by a web service; others pay no regard. To be called before Submit.

        Args:
            hWnd: the window that a dialog would belong to; no dialog is shown.
            AuthType: the way to authenticate.
            strCredential: user name, or thumbprint of a certificate.
            strPassword: password of the user.

        Raises:
            ComError: E_INVALIDARG where AuthType is no single way to authenticate, or what is given does not go with it.

        Source: ICertRequest3::SetCredential.
        """
        if AuthType not in _CREDENTIALS:
            raise _invalid(1, "AuthType is no single way to authenticate")
        named, with_password = _CREDENTIALS[AuthType]
        if bool(strCredential) != named:
            raise _invalid(2, f"{AuthType.name} goes {'with' if named else 'without'} a credential")
        if strPassword and not with_password:
            raise _invalid(3, f"{AuthType.name} goes without a password")
        self._credential = Credential(AuthType, strCredential, Secret(strPassword))

    def GetRequestIdString(self) -> str:
        """The CA's id of the request, as text. Raises ComError (OLE_E_BLANK) before Submit."""
        return self._answered().request_id

    def GetIssuedCertificate2(self, strConfig: str, strRequestId: str, strSerialNumber: str) -> int:
        """As GetIssuedCertificate, with the id as text; empty where the serial number counts.

        Source: ICertRequest3::GetIssuedCertificate2.
        """
        return self._retrieve_issued(strConfig, strRequestId, strSerialNumber)

    def GetRefreshPolicy(self) -> bool:
        """Whether an enrollment server said that the policy kept here is out of date. No CA here keeps one."""
        return False

    # ------------------------------------------------------------------------------------------------------------------

    def _connect(self, config: str, *, keep: bool = True) -> CertificationAuthority:
        from certenroll.ca.directory import open_ca
        from certenroll.stores.profile import open_profile

        authority = open_ca(open_profile(), config)
        if keep:
            self._authority, self._answer = authority, None
        return authority

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """Keeps the outcome of the block for GetLastStatus."""
        self._status = 0
        try:
            yield
        except BaseException as error:
            found = translate(error)
            self._status = found.hresult if found is not None else HRESULT.E_UNEXPECTED.signed
            raise

    def _keep(self, answer: Answer) -> int:
        self._answer = answer
        self._status = signed(answer.status)
        return int(answer.disposition)

    def _retrieve_issued(self, config: str, request_id: str, serial: str) -> int:
        with self._recorded():
            authority = self._connect(config)
            if request_id.strip():
                return self._keep(authority.retrieve(request_id.strip()))
            if len(serial) % 2 or not _SERIAL.fullmatch(serial):
                text = "a serial number is an even number of hexadecimal digits, with at most one zero before it"
                raise _invalid(2, text)
            if not isinstance(authority, SerialFinder):
                text = f"{authority.config} finds requests by their id alone"
                raise ComError(HRESULT.WIN32_NOT_SUPPORTED, text, source=_SOURCE)
            return self._keep(authority.find_serial(int(serial, 16)))

    def _answered(self) -> Answer:
        if self._answer is None:
            raise ComError(HRESULT.OLE_E_BLANK, "no CA has answered yet: Submit or RetrievePending first", source=_SOURCE)
        return self._answer

    def _certificate(self) -> bytes:
        answer = self._answered()
        if answer.certificate is None:
            raise _empty(f"no certificate was issued: {answer.message}")
        return answer.certificate

    def _crls(self) -> tuple[bytes, ...]:
        """The CRLs of the answer, or those that the CA has where it was not asked for them."""
        return self._answered().crls or _crls_of(self._authority)


ICertRequest2 = ICertRequest
ICertRequest3 = ICertRequest


def _requester(flags: int) -> str:
    """Who submits: the user, or with CR_IN_MACHINE the computer's account."""
    user = client_identity().user
    domain = user.partition("\\")[0]
    return f"{domain}\\{domain}$" if flags & enums.CR_IN_MACHINE else user


def _written(certificate: bytes, chain: tuple[bytes, ...], crls: Crls, flags: int) -> str | bytes:
    if not flags & enums.CR_OUT_CHAIN:
        return encode_text(certificate, flags & _OUT_FORM)
    lists = crls() if flags & enums.CR_OUT_CRLS else ()
    return encode_text(encode_certificate_bag((certificate, *chain), lists), flags & _OUT_FORM)


def _crls_of(authority: CertificationAuthority | None) -> tuple[bytes, ...]:
    return tuple(authority.crls()) if isinstance(authority, Revoker) else ()


def _invalid(argument: int, text: str) -> BadArgument:
    return BadArgument(HRESULT.E_INVALIDARG, text, source=_SOURCE, argerror=argument)


def _empty(text: str) -> ComError:
    return ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, text, source=_SOURCE)
