# An enrollment for a template of a policy server, after IX509EnrollmentHelper has put the credential for the enrollment
# server where Enroll finds it (Microsoft's enrollWithIX509EnrollmentHelper).
#
#   with_enrollment_helper.py -TemplateName User -PolicyServerAuthType UsernamePassword -PolicyServerUrl ldap: \
#       -PolicyServerUsername user -PolicyServerPassword secret -EnrollmentServerUrl "host\CA name"

import sys

from enroll_common import check_enroll_status
from server_arguments import load_template, run

from certenroll import Dispatch, X509EnrollmentAuthFlags

# Kerberos needs nothing that would have to be kept.
KEPT = (X509EnrollmentAuthFlags.X509AuthUsername, X509EnrollmentAuthFlags.X509AuthCertificate)


def enroll(context, template_name, policy, server):
    policy_server, template = load_template(context, policy, template_name)

    if server.authentication in KEPT:
        helper = Dispatch("X509Enrollment.CX509EnrollmentHelper")
        helper.Initialize(context)
        helper.AddEnrollmentServer(server.url, server.authentication, server.user, server.password)

    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromTemplate(context, policy_server, template)
    enrollment.Enroll()
    return check_enroll_status(enrollment)


def main(arguments):
    return run(enroll, "with_enrollment_helper.py", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
