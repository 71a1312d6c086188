"""What the samples that use a policy server and an enrollment server share: the words of their command lines.

A local CA of the profile stands for both: "ldap:" is its policy server, its configuration string (host\\name) its enrollment
server.
"""

from dataclasses import dataclass

from certenroll import (
    ComError,
    Dispatch,
    X509CertificateEnrollmentContext,
    X509EnrollmentAuthFlags,
    X509EnrollmentPolicyLoadOption,
)

CONTEXTS = {
    "user": X509CertificateEnrollmentContext.ContextUser,
    "machine": X509CertificateEnrollmentContext.ContextAdministratorForceMachine,
}
AUTHENTICATION = {
    "kerberos": X509EnrollmentAuthFlags.X509AuthKerberos,
    "usernamepassword": X509EnrollmentAuthFlags.X509AuthUsername,
    "certificate": X509EnrollmentAuthFlags.X509AuthCertificate,
}
USAGE = """\
usage: {sample} -Param Value ...

-Context                    User | Machine
-TemplateName               certificate template
-PolicyServerAuthType       Kerberos | UsernamePassword | Certificate
-PolicyServerUrl            URL of the policy server
-PolicyServerUsername       user name, or thumbprint of the certificate
-PolicyServerPassword       password of that user
-EnrollmentServerAuthType   as for the policy server, and its user and password, where not given
-EnrollmentServerUrl        URL of the enrollment server
-EnrollmentServerUsername   user name, or thumbprint of the certificate
-EnrollmentServerPassword   password of that user

{sample} -TemplateName User -PolicyServerAuthType Kerberos -PolicyServerUrl ldap: -EnrollmentServerUrl "host\\CA name\""""


@dataclass(frozen=True)
class Server:
    """A server, and how one says to it who one is."""

    url: str
    authentication: X509EnrollmentAuthFlags
    user: str = ""
    password: str = ""


def read_arguments(arguments):
    """The context, the template's name, the policy server and the enrollment server. Raises ValueError for wrong usage."""
    if len(arguments) % 2:
        raise ValueError(f"{arguments[-1]} has no value")
    given = {name.casefold(): value for name, value in zip(arguments[::2], arguments[1::2], strict=True)}
    try:
        context = CONTEXTS[given.pop("-context", "user").casefold()]
        template = given.pop("-templatename")
        policy = take_server(given, "-policyserver")
        default = {"authentication": policy.authentication, "user": policy.user, "password": policy.password}
        enrollment = take_server(given, "-enrollmentserver", **default)
    except KeyError as error:
        raise ValueError(f"{error} is missing or unknown") from None
    if given:
        raise ValueError(f"unknown: {', '.join(given)}")
    return context, template, policy, enrollment


def take_server(given, name, **default):
    """Takes the arguments of a server out of those that were given."""
    url = given.pop(f"{name}url")
    if f"{name}authtype" not in given and default:
        return Server(url, **default)
    kind = AUTHENTICATION[given.pop(f"{name}authtype").casefold()]
    return Server(url, kind, given.pop(f"{name}username", ""), given.pop(f"{name}password", ""))


def load_template(context, policy, name):
    """The policy server, and its template of that name."""
    server = Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService")
    server.Initialize(policy.url, "", policy.authentication, False, context)
    server.SetCredential(0, policy.authentication, policy.user, policy.password)
    server.LoadPolicy(X509EnrollmentPolicyLoadOption.LoadOptionDefault)
    return server, server.GetTemplates().ItemByName(name)


def run(sample, name, arguments):
    """Calls a sample with what its command line says and tells how it ended; gives the exit code."""
    try:
        wanted = read_arguments(arguments)
    except ValueError as error:
        print(error)
        print(USAGE.format(sample=name))
        return 2
    try:
        code = sample(*wanted)
    except ComError as error:
        print(error)  # 0x........ NAME: what went wrong
        code = 1
    print("Certificate enrollment failed." if code else "Certificate enrollment succeeded.")
    return code
