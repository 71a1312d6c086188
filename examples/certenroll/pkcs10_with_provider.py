# A certificate for the user by a template, with a key in a provider that is chosen among those of this computer
# (Microsoft's enrollCustomPKCS10_2).
#
#   pkcs10_with_provider.py TEMPLATE PROVIDER

import sys

from enroll_common import check_enroll_status, run

from certenroll import Dispatch, InnerRequestLevel, X509CertificateEnrollmentContext, X509KeySpec

USAGE = """\
usage: pkcs10_with_provider.py TEMPLATE PROVIDER
       pkcs10_with_provider.py User "Microsoft Enhanced Cryptographic Provider v1.0\""""


def enroll(template, provider):
    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromTemplateName(X509CertificateEnrollmentContext.ContextUser, template)

    pkcs10 = enrollment.Request.GetInnerRequest(InnerRequestLevel.LevelInnermost)
    key = pkcs10.PrivateKey

    # The pair of a provider and its algorithm for exchange keys is what the key is told.
    providers = Dispatch("X509Enrollment.CCspInformations")
    providers.AddAvailableCsps()
    key.CspStatus = providers.GetCspStatusFromProviderName(provider, X509KeySpec.XCN_AT_KEYEXCHANGE)

    enrollment.Enroll()
    return check_enroll_status(enrollment)


def main(arguments):
    return run(enroll, USAGE, (2,), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
