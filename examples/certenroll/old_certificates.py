"""What the samples that start from a certificate share: the user's certificate of a template."""

from enroll_common import signing_certificate

from certenroll import (
    ComError,
    Dispatch,
    EncodingType,
    EnrollmentTemplateProperty,
    X509CertificateEnrollmentContext,
    X509EnrollmentAuthFlags,
    X509EnrollmentPolicyLoadOption,
)

# The extension that says by which template a certificate was issued, of version 1 and of later templates.
EXTENSIONS = {
    "1.3.6.1.4.1.311.20.2": ("X509Enrollment.CX509ExtensionTemplateName", lambda decoded: decoded.TemplateName),
    "1.3.6.1.4.1.311.21.7": ("X509Enrollment.CX509ExtensionTemplate", lambda decoded: decoded.TemplateOid.Value),
}


def certificate_of(template):
    """DER of the user's certificate of a template; one is enrolled for where there is none.

    Args:
        template: the template's name.

    Raises:
        ComError: there is none and the CA gives none, or it leads to no trusted root.
    """
    wanted = {template.casefold(), object_id_of(template)}
    return signing_certificate(lambda certificate: not wanted.isdisjoint(templates_of(certificate)), template)


def templates_of(certificate):
    """The names and object identifiers of templates that a ``cryptography.x509.Certificate`` has in its extensions."""
    found = []
    for extension in certificate.extensions:
        if extension.oid.dotted_string in EXTENSIONS:
            prog_id, value_of = EXTENSIONS[extension.oid.dotted_string]
            decoded = Dispatch(prog_id)
            decoded.InitializeDecode(EncodingType.XCN_CRYPT_STRING_BINARY, extension.value.public_bytes())
            found.append(value_of(decoded).casefold())
    return found


def object_id_of(template):
    """The object identifier that the directory has for a template's name; the name where it has none."""
    directory = Dispatch("X509Enrollment.CX509EnrollmentPolicyActiveDirectory")
    kerberos = X509EnrollmentAuthFlags.X509AuthKerberos
    directory.Initialize("ldap:", "", kerberos, False, X509CertificateEnrollmentContext.ContextUser)
    try:
        directory.LoadPolicy(X509EnrollmentPolicyLoadOption.LoadOptionDefault)
        found = directory.GetTemplates().ItemByName(template)
        return found.Property(EnrollmentTemplateProperty.TemplatePropOID).Value
    except ComError:  # no directory, no such template, or one without an identifier: its certificates carry the name
        return template.casefold()
