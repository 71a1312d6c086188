# A request for a template of a policy server, sent to an enrollment server by ICertRequest3, both of which are told who asks
# (Microsoft's enrollWithICertRequest3).
#
#   with_cert_request3.py -TemplateName User -PolicyServerAuthType Kerberos -PolicyServerUrl ldap: \
#       -EnrollmentServerUrl "host\CA name"

import sys

from enroll_common import check_disposition
from server_arguments import load_template, run

from certenroll import (
    CERT_PROPERTY_TYPE,
    CERT_REQUEST_OUT_TYPE,
    CR_IN_BASE64,
    CR_IN_FORMATANY,
    FULL_RESPONSE_PROPERTY_ID,
    Dispatch,
    EncodingType,
    InstallResponseRestrictionFlags,
    PolicyServerUrlFlags,
)

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64


def enroll(context, template_name, policy, server):
    policy_server, template = load_template(context, policy, template_name)
    policy_id = policy_server.GetPolicyServerId()

    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromTemplate(context, policy_server, template)
    text = enrollment.CreateRequest(BASE64)

    request = Dispatch("CertificateAuthority.Request")
    request.SetCredential(0, server.authentication, server.user, server.password)
    disposition = request.Submit(CR_IN_BASE64 | CR_IN_FORMATANY, text, "", server.url)
    code = check_disposition(request, disposition)
    if code != 0:
        return code

    response = request.GetFullResponseProperty(
        FULL_RESPONSE_PROPERTY_ID.FR_PROP_FULLRESPONSENOPKCS7,
        0,
        CERT_PROPERTY_TYPE.PROPTYPE_BINARY,
        CERT_REQUEST_OUT_TYPE.CR_OUT_BASE64,
    )
    # The password here would open a PFX; the policy server's, which Microsoft's sample gives, opens nothing.
    enrollment.InstallResponse2(
        InstallResponseRestrictionFlags.AllowNone,
        response,
        BASE64,
        "",
        policy.url,
        policy_id,
        PolicyServerUrlFlags.PsfNone,
        policy.authentication,
    )
    print(enrollment.Certificate(EncodingType.XCN_CRYPT_STRING_BASE64HEADER))
    return 0


def main(arguments):
    return run(enroll, "with_cert_request3.py", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
