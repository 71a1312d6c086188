# A CMC request from a file is put into another CMC request, which a second certificate signs; the CA's whole answer goes
# to a file (Microsoft's enrollNestedCMC).
#
#   nested_cmc.py REQUESTFILE RESPONSEFILE [SIGNINGTEMPLATE]
#
# cng_custom_cmc.py makes such requests. Where the user has no certificate to sign with yet, one is enrolled for first.

import sys
from pathlib import Path

from enroll_common import check_disposition, pick_ca, run, signing_certificate, signs

from certenroll import (
    CERT_PROPERTY_TYPE,
    CERT_REQUEST_OUT_TYPE,
    CR_IN_BASE64,
    CR_IN_FORMATANY,
    FULL_RESPONSE_PROPERTY_ID,
    ComError,
    Dispatch,
    EncodingType,
    X509PrivateKeyVerify,
)

USAGE = """\
usage: nested_cmc.py REQUESTFILE RESPONSEFILE [SIGNINGTEMPLATE]
       nested_cmc.py cmc.req response.out User"""


def read_request(file):
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise ComError(0x80070002, str(error)) from error
    cmc = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    cmc.InitializeDecode(data, EncodingType.XCN_CRYPT_STRING_ANY)  # base64 with or without a header, or DER
    return cmc


def enroll(request_file, response_file, template="User"):
    cmc = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    cmc.InitializeFromInnerRequest(read_request(request_file))

    signer = Dispatch("X509Enrollment.CSignerCertificate")
    certificate = signing_certificate(signs, template)
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
        CERT_REQUEST_OUT_TYPE.CR_OUT_BASE64,
    )
    Path(response_file).write_text(response, encoding="ascii")
    print(f"The CA's answer is in {response_file}")
    return 0


def main(arguments):
    return run(enroll, USAGE, (2, 3), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
