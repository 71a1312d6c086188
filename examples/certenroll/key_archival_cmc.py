# A CMC request that brings its private key along, encrypted for the CA's exchange certificate, for the CA to archive; the
# CA's whole answer is installed (Microsoft's enrollKeyArchivalCMC).
#
#   key_archival_cmc.py TEMPLATE

import sys

from enroll_common import check_disposition, pick_ca, run

from certenroll import (
    CERT_PROPERTY_TYPE,
    CERT_REQUEST_OUT_TYPE,
    CR_IN_BASE64,
    CR_IN_FORMATANY,
    FULL_RESPONSE_PROPERTY_ID,
    Dispatch,
    EncodingType,
    InstallResponseRestrictionFlags,
    X509CertificateEnrollmentContext,
)

USAGE = """\
usage: key_archival_cmc.py TEMPLATE
       key_archival_cmc.py KeyArchival"""


def enroll(template):
    cmc = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    cmc.InitializeFromTemplateName(X509CertificateEnrollmentContext.ContextUser, template)
    cmc.ArchivePrivateKey = True

    request = Dispatch("CertificateAuthority.Request")
    config = pick_ca()
    exchange = request.GetCACertificate(True, config, CERT_REQUEST_OUT_TYPE.CR_OUT_BINARY)
    cmc.SetKeyArchivalCertificate(EncodingType.XCN_CRYPT_STRING_BINARY, exchange)

    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(cmc)
    text = enrollment.CreateRequest(EncodingType.XCN_CRYPT_STRING_BASE64)

    disposition = request.Submit(CR_IN_BASE64 | CR_IN_FORMATANY, text, "", config)
    code = check_disposition(request, disposition)
    if code != 0:
        return code

    response = request.GetFullResponseProperty(
        FULL_RESPONSE_PROPERTY_ID.FR_PROP_FULLRESPONSENOPKCS7,
        0,
        CERT_PROPERTY_TYPE.PROPTYPE_BINARY,
        CERT_REQUEST_OUT_TYPE.CR_OUT_BASE64,
    )
    enrollment.InstallResponse(
        InstallResponseRestrictionFlags.AllowNone, response, EncodingType.XCN_CRYPT_STRING_BASE64, ""
    )
    print(enrollment.Certificate(EncodingType.XCN_CRYPT_STRING_BASE64HEADER))
    return 0


def main(arguments):
    return run(enroll, USAGE, (1,), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
