# A request that the new key does not sign: a PKCS #10 of a public key alone goes into a CMC request, which a certificate of
# the user's signs; the CA's response goes to a file (Microsoft's enrollFromPublicKey).
#
#   from_public_key.py TEMPLATE RESPONSEFILE [SIGNINGTEMPLATE]
#
# Where the user has no certificate to sign with yet, one is enrolled for first. Nothing is installed: the key stays in its
# container, for whoever installs the response (with AllowNoOutstandingRequest, for there is no request in the store).

import sys
from base64 import encodebytes
from pathlib import Path

from enroll_common import check_disposition, pick_ca, run, signing_certificate, signs

from certenroll import (
    CERT_PROPERTY_TYPE,
    CERT_REQUEST_OUT_TYPE,
    CR_IN_BASE64,
    CR_IN_FORMATANY,
    FULL_RESPONSE_PROPERTY_ID,
    Dispatch,
    EncodingType,
    X509CertificateEnrollmentContext,
    X509PrivateKeyVerify,
)

USAGE = """\
usage: from_public_key.py TEMPLATE RESPONSEFILE [SIGNINGTEMPLATE]
       from_public_key.py User response.out User"""


def request_for(template):
    key = Dispatch("X509Enrollment.CX509PrivateKey")
    key.Create()
    public_key = key.ExportPublicKey()

    pkcs10 = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    pkcs10.InitializeFromPublicKey(X509CertificateEnrollmentContext.ContextUser, public_key, template)
    cmc = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    cmc.InitializeFromInnerRequest(pkcs10)
    return cmc


def enroll(template, response_file, signing_template="User"):
    cmc = request_for(template)

    certificate = signing_certificate(signs, signing_template)
    signer = Dispatch("X509Enrollment.CSignerCertificate")
    signer.Initialize(False, X509PrivateKeyVerify.VerifyNone, EncodingType.XCN_CRYPT_STRING_BINARY, certificate)
    cmc.SignerCertificates.Add(signer)

    cmc.Encode()
    text = cmc.RawData(EncodingType.XCN_CRYPT_STRING_BASE64)

    request = Dispatch("CertificateAuthority.Request")
    disposition = request.Submit(CR_IN_BASE64 | CR_IN_FORMATANY, text, "", pick_ca())
    code = check_disposition(request, disposition)
    if code != 0:
        return code

    response = request.GetFullResponseProperty(
        FULL_RESPONSE_PROPERTY_ID.FR_PROP_FULLRESPONSENOPKCS7,
        0,
        CERT_PROPERTY_TYPE.PROPTYPE_BINARY,
        CERT_REQUEST_OUT_TYPE.CR_OUT_BINARY,
    )
    Path(response_file).write_bytes(encodebytes(response))
    print(f"The CA's response is in {response_file}")
    return 0


def main(arguments):
    return run(enroll, USAGE, (2, 3), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
