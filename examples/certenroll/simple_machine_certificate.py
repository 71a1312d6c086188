# A certificate for the computer by a template, with a name and a description for people (Microsoft's
# enrollSimpleMachineCert).
#
#   simple_machine_certificate.py TEMPLATE FRIENDLYNAME DESCRIPTION
#
# Key and certificate go into the machine's profile, and the CA is the machine's: whoever may write there is an
# administrator.

import sys

from enroll_common import check_enroll_status, run

from certenroll import Dispatch, X509CertificateEnrollmentContext

USAGE = """\
usage: simple_machine_certificate.py TEMPLATE FRIENDLYNAME DESCRIPTION
       simple_machine_certificate.py Machine "Machine Cert" "Simple Machine Cert\""""


def enroll(template, friendly_name, description):
    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromTemplateName(X509CertificateEnrollmentContext.ContextAdministratorForceMachine, template)
    enrollment.CertificateFriendlyName = friendly_name
    enrollment.CertificateDescription = description

    enrollment.Enroll()
    return check_enroll_status(enrollment)


def main(arguments):
    return run(enroll, USAGE, (3,), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
