# A certificate for the user by a template, with a subject and a key length of one's own (Microsoft's enrollSimpleUserCert).
#
#   simple_user_certificate.py TEMPLATE SUBJECT KEYLENGTH

import sys

from enroll_common import check_enroll_status, number, run

from certenroll import Dispatch, InnerRequestLevel, X500NameFlags, X509CertificateEnrollmentContext

USAGE = """\
usage: simple_user_certificate.py TEMPLATE SUBJECT KEYLENGTH
       simple_user_certificate.py User "CN=foo,OU=bar,DC=com" 2048"""


def enroll(template, subject, key_length):
    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromTemplateName(X509CertificateEnrollmentContext.ContextUser, template)

    # The request that the template made; at its core there is always a PKCS #10.
    pkcs10 = enrollment.Request.GetInnerRequest(InnerRequestLevel.LevelInnermost)
    pkcs10.PrivateKey.Length = number(key_length)

    name = Dispatch("X509Enrollment.CX500DistinguishedName")
    name.Encode(subject, X500NameFlags.XCN_CERT_NAME_STR_NONE)
    pkcs10.Subject = name

    enrollment.Enroll()
    return check_enroll_status(enrollment)


def main(arguments):
    return run(enroll, USAGE, (3,), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
