# Installs a certificate with its private key from a PFX file (Microsoft's installResponseFromPFX).
#
#   install_from_pfx.py FILE PASSWORD
#
# The file is DER, or base64 with or without a header. Others on this computer can read a password on a command line.

import sys
from pathlib import Path

from enroll_common import run

from certenroll import (
    ComError,
    Dispatch,
    EncodingType,
    InstallResponseRestrictionFlags,
    X509CertificateEnrollmentContext,
)

USAGE = """\
usage: install_from_pfx.py FILE PASSWORD
       install_from_pfx.py cert.pfx 1111"""

ERROR_FILE_NOT_FOUND = 0x80070002


def install(file, password):
    try:
        response = Path(file).read_bytes()
    except OSError as error:
        raise ComError(ERROR_FILE_NOT_FOUND, str(error)) from error

    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(X509CertificateEnrollmentContext.ContextUser)
    enrollment.InstallResponse(
        InstallResponseRestrictionFlags.AllowNone, response, EncodingType.XCN_CRYPT_STRING_ANY, password
    )
    print("The certificate is installed:")
    print(enrollment.Certificate(EncodingType.XCN_CRYPT_STRING_BASE64HEADER))
    return 0


def main(arguments):
    return run(install, USAGE, (2,), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
