"""ICertificateAttestationChallenge and its second version: the answer to a CA that doubts where a key is.

The face of ``engine.challenges``; IX509Enrollment::Enroll answers by itself and needs no such object. Knows no CA: a script
submits what DecryptChallenge gives, with CR_IN_CHALLENGERESPONSE and the attribute RequestId.

Source: the nf-certenroll-icertificateattestationchallenge-* pages; docs/analysis/attestation.md tells what was chosen where
they are silent.
"""

from __future__ import annotations

from certenroll.com import ComObject, Slot
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.challenges import Posed, answer_to, answering_key, posed_by
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64


class ICertificateAttestationChallenge(ComObject):
    """A challenge that a CA posed before it issues, for the user's TPM."""

    def __init__(self) -> None:
        self._posed: Slot[Posed] = Slot("CertificateAttestationChallenge")
        self._container = ""
        self._key_blob = b""

    def Initialize(self, Encoding: EncodingType, strPendingFullCmcResponseWithChallenge: str | bytes) -> None:
        """Takes the CA's answer, whose signature and certificates must lead to a root of the user's.

        Args:
            Encoding: how the text holds it.
            strPendingFullCmcResponseWithChallenge: the one CMC full response, which says pending and has a challenge.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, CRYPT_E_INVALID_MSG_TYPE where it is no pending full
                response, TPM_E_ATTESTATION_CHALLENGE_NOT_SET where it has no challenge, CRYPT_E_ASN1_* where it is
                malformed, NTE_BAD_SIGNATURE, CRYPT_E_NO_SIGNER or CRYPT_E_SIGNER_NOT_FOUND where the CA did not sign it,
                CERT_E_UNTRUSTEDROOT or another code of a chain, CERT_E_WRONG_USAGE.
        """
        if self._posed.is_set:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, "the challenge is initialized already")
        data = decode_text(strPendingFullCmcResponseWithChallenge, Encoding)
        self._posed.set(posed_by(open_workspace(), data))

    def DecryptChallenge(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The answer: the secret as the TPM reads it, encrypted for the CA's exchange certificate (EnvelopedData).

        Args:
            Encoding: how the text holds it.

        Raises:
            ComError: OLE_E_BLANK before Initialize, NTE_DECRYPTION_FAILURE where another TPM is challenged,
                NTE_NOT_SUPPORTED where the key that was named is in no TPM, NTE_BAD_KEYSET or NTE_NO_KEY where it is not
                here, TBS_E_TPM_NOT_FOUND and the other codes of the key store.
        """
        posed, workspace = self._posed.get(), open_workspace()
        store = answering_key(workspace, posed, self._container, self._key_blob)
        return encode_text(answer_to(workspace, posed, store), Encoding)

    @property
    def RequestID(self) -> str:
        """The CA's number of the request, for the attribute RequestId. Raises OLE_E_BLANK before Initialize."""
        return self._posed.get().request_id

    # ICertificateAttestationChallenge2.

    @property
    def KeyContainerName(self) -> str:
        """The container of the request's key; can only be written. Needed for no TPM, but held to where it is set."""
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, "the container can only be written")

    @KeyContainerName.setter
    def KeyContainerName(self, Value: str) -> None:
        self._container = Value

    def KeyBlob(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The blob of the request's key; can only be written."""
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, "the blob can only be written")

    def SetKeyBlob(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Says which key the request is for by its blob: the TPM2B_PUBLIC that the request's statement holds.

        Raises:
            ComError: WIN32_INVALID_DATA where the text does not hold it; DecryptChallenge says what is wrong with the blob.
        """
        self._key_blob = decode_text(Value, Encoding)


ICertificateAttestationChallenge2 = ICertificateAttestationChallenge
