# Renews the user's certificate of a template: a PKCS #7 request with a new key of the old one's kind, signed by the old key
# (Microsoft's enrollRenewalPKCS7).
#
#   renewal_pkcs7.py TEMPLATE
#
# Where the user has no certificate of the template yet, one is enrolled for first.

import sys

from enroll_common import check_enroll_status, run
from old_certificates import certificate_of

from certenroll import Dispatch, EncodingType, X509CertificateEnrollmentContext, X509RequestInheritOptions

USAGE = """\
usage: renewal_pkcs7.py TEMPLATE
       renewal_pkcs7.py User"""


def renew(template):
    old = certificate_of(template)

    pkcs7 = Dispatch("X509Enrollment.CX509CertificateRequestPkcs7")
    pkcs7.InitializeFromCertificate(
        X509CertificateEnrollmentContext.ContextUser,
        True,
        old,
        EncodingType.XCN_CRYPT_STRING_BINARY,
        X509RequestInheritOptions.InheritDefault,
    )

    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(pkcs7)
    enrollment.Enroll()
    return check_enroll_status(enrollment)


def main(arguments):
    return run(renew, USAGE, (1,), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
