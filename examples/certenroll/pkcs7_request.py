# A second certificate for the key of one that the user has: a PKCS #7 request that is no renewal, with key and template of
# the old certificate, which also signs it (Microsoft's enrollPKCS7).
#
#   pkcs7_request.py TEMPLATE
#
# Where the user has no certificate of the template yet, one is enrolled for first.

import sys

from enroll_common import check_enroll_status, run
from old_certificates import certificate_of

from certenroll import (
    Dispatch,
    EncodingType,
    X509CertificateEnrollmentContext,
    X509PrivateKeyVerify,
    X509RequestInheritOptions,
)

USAGE = """\
usage: pkcs7_request.py TEMPLATE
       pkcs7_request.py User"""

BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
KEY_AND_TEMPLATE = X509RequestInheritOptions.InheritPrivateKey | X509RequestInheritOptions.InheritTemplateFlag


def enroll(template):
    old = certificate_of(template)

    pkcs7 = Dispatch("X509Enrollment.CX509CertificateRequestPkcs7")
    pkcs7.InitializeFromCertificate(X509CertificateEnrollmentContext.ContextUser, False, old, BINARY, KEY_AND_TEMPLATE)

    # A renewal is signed by the old certificate anyhow; here it has to be named.
    signer = Dispatch("X509Enrollment.CSignerCertificate")
    signer.Initialize(False, X509PrivateKeyVerify.VerifyNone, BINARY, old)
    pkcs7.SignerCertificate = signer

    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(pkcs7)
    enrollment.Enroll()
    return check_enroll_status(enrollment)


def main(arguments):
    return run(enroll, USAGE, (1,), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
