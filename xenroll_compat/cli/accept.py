"""xenroll accept: installs what a CA sent, from a file in any of the encodings that CertEnroll reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from xenroll_compat.cli.enroll import key_facts
from xenroll_compat.cli.options import add_common, add_password, add_pin, context_of, password_of, pin_of
from xenroll_compat.cli.output import progress, show_facts

# Option -> the member of InstallResponseRestrictionFlags.
_ALLOWANCES = {
    "allow_no_outstanding_request": "AllowNoOutstandingRequest",
    "allow_untrusted_certificate": "AllowUntrustedCertificate",
    "allow_untrusted_root": "AllowUntrustedRoot",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("file", metavar="FILE", help="a certificate, a PKCS#7 bag or a PFX; - reads stdin")
    parser.add_argument("--allow-no-outstanding-request", action="store_true", help="install what was not asked for here")
    parser.add_argument("--allow-untrusted-certificate", action="store_true", help="install it without a trusted chain")
    parser.add_argument("--allow-untrusted-root", action="store_true", help="trust its root from now on")
    add_password(parser, "a PFX")
    add_pin(parser)
    add_common(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import certenroll
    from certenroll import facade
    from certenroll.enums import EncodingType
    from certenroll.enums import InstallResponseRestrictionFlags as Flags

    response = sys.stdin.buffer.read() if arguments.file == "-" else Path(arguments.file).read_bytes()
    pin, password = pin_of(arguments), password_of(arguments)
    flags = Flags.AllowNone
    for option, member in _ALLOWANCES.items():
        flags |= Flags[member] if getattr(arguments, option) else Flags.AllowNone
    enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(context_of(arguments))
    facade.configure(enrollment, pin=pin)
    with progress("installing"):
        text = password.reveal() if password is not None else ""
        enrollment.InstallResponse(flags, response, EncodingType.XCN_CRYPT_STRING_ANY, text)
    show_facts(installed_facts(facade.installation_of(enrollment)), as_json=arguments.json)
    return 0


def installed_facts(installation: object) -> dict[str, object]:
    """What an install did, as tables and JSON name it."""
    from certenroll.asn1.certificates import read_certificate
    from certenroll.asn1.names import decode_name
    from certenroll.engine.installation import Installation
    from certenroll.enums import X500NameFlags

    assert isinstance(installation, Installation)  # noqa: S101  what the facade gives
    facts: dict[str, object] = {"status": "installed", "added": installation.added}
    if installation.certificate is not None:
        certificate = read_certificate(installation.certificate)
        subject = decode_name(certificate.subject, X500NameFlags.XCN_CERT_NAME_STR_REVERSE_FLAG)
        facts |= {"subject": subject, "thumbprint": certificate.sha1.hex().upper()}
    return facts | key_facts(installation.key)
