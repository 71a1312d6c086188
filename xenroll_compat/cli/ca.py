"""xenroll ca: the administrator's side of a local CA."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xenroll_compat.cli import ca_recovery, ca_serve
from xenroll_compat.cli.options import add_common, context_of
from xenroll_compat.cli.output import note, progress, show_facts, show_rows

if TYPE_CHECKING:
    from certenroll.ca.base import Answer
    from certenroll.ca.database import Row
    from certenroll.ca.local import LocalCA
    from certenroll.stores.profile import Profile

NOT_YET: Final = 3
_COLUMNS: Final = ("request_id", "disposition", "subject", "template", "requester", "submitted", "message")

# CRLReason (RFC 5280 section 5.3.1) by the name that --reason takes.
REASONS: Final = {
    "unspecified": 0,
    "key-compromise": 1,
    "ca-compromise": 2,
    "affiliation-changed": 3,
    "superseded": 4,
    "cessation-of-operation": 5,
    "certificate-hold": 6,
    "remove-from-crl": 8,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    _configure_init(actions.add_parser("init", help="make a CA, and trust its root in this profile"))
    for name, only, text in (("list", False, "every request"), ("pending", True, "the requests that it holds")):
        listing = _action(actions.add_parser(name, help=text))
        listing.set_defaults(run=_list, only_pending=only)
    issue = _action(actions.add_parser("issue", help="issue what the CA holds or denied"))
    _add_request(issue)
    _add_out(issue)
    issue.set_defaults(run=_issue)
    deny = _action(actions.add_parser("deny", help="deny what the CA holds"))
    _add_request(deny)
    deny.add_argument("--reason", default="", metavar="TEXT", help="a sentence for the requester")
    deny.set_defaults(run=_deny)
    revoke = _action(actions.add_parser("revoke", help="revoke a certificate; the next CRL has it"))
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("request", nargs="?", default="", metavar="REQUEST", help="the number of its request")
    which.add_argument("--serial", type=_serial, metavar="HEX", help="its serial number")
    revoke.add_argument("--reason", choices=REASONS, default="unspecified", metavar="REASON", help=", ".join(REASONS))
    revoke.set_defaults(run=_revoke)
    crl = _action(actions.add_parser("crl", help="publish a new CRL"))
    crl.add_argument("--out", type=Path, metavar="FILE", help="where to write it (PEM); stdout where nothing is said")
    crl.set_defaults(run=_crl)
    sign = _action(actions.add_parser("sign", help="answer a request from a file with a response in a file"))
    sign.add_argument("file", type=Path, metavar="FILE", help="a PKCS#10 request in DER, base64 or PEM")
    sign.add_argument("--template", default="", metavar="NAME", help="the template to issue it under")
    _add_out(sign)
    sign.set_defaults(run=_sign)
    agent = _action(actions.add_parser("recovery-agent", help="name a key recovery agent, who gets archived keys back"))
    recover = _action(actions.add_parser("recover", help="give an archived private key back, by an agent's key"))
    ca_recovery.configure(agent, recover, _local_ca)
    serve = _action(actions.add_parser("serve", help="serve the CA to clients of SCEP, until Ctrl-C"))
    challenge = _action(actions.add_parser("challenge", help="make a challenge password for a client of SCEP"))
    ca_serve.configure(serve, challenge, _local_folder)


def _configure_init(init: argparse.ArgumentParser) -> None:
    init.add_argument("name", metavar="NAME", help="the CA's name, the second half of its configuration string")
    init.add_argument("--policy", choices=("issue", "hold", "deny"), default="issue", help="for good requests")
    init.add_argument("--host", default="", help="the other half; this computer's name where nothing is said")
    init.add_argument("--subject", default="", metavar="NAME", help="its X.500 name; CN=NAME where nothing is said")
    init.add_argument("--algorithm", choices=("RSA", "EC"), default="RSA", help="of its key")
    init.add_argument("--length", type=int, metavar="BITS", help="of its key: 2048 for RSA or 256 for EC by default")
    init.add_argument("--days", type=int, default=1825, help="how long its certificate is valid")
    init.add_argument("--two-tier", action="store_true", help="with a root above the CA that issues")
    init.add_argument("--path", default="", metavar="FOLDER", help="a further CA, in that folder of the profile")
    init.add_argument("--no-trust", action="store_true", help="leave its root out of this profile's ROOT")
    add_common(init)
    init.set_defaults(run=_init)


def _action(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--ca", default="", metavar="CONFIG", help="host\\name; else the profile's own CA")
    add_common(parser)
    return parser


def _add_request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("request", metavar="REQUEST", help="the number of the request at the CA")


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the response: PKCS#7 with the chain, PEM")


def _init(arguments: argparse.Namespace) -> int:
    from certenroll import facade
    from keystores.base import KeyAlgorithm

    context = context_of(arguments)
    algorithm = KeyAlgorithm[arguments.algorithm]
    bits = arguments.length or {KeyAlgorithm.RSA: 2048, KeyAlgorithm.EC: 256}[algorithm]
    with progress("making the CA's key"):
        ca = make_ca(_profile(context), arguments, algorithm, bits)
    *above, root = ca.certificates()
    if not arguments.no_trust:
        facade.add_certificate("ROOT", root, context=context)
        for der in above:
            facade.add_certificate("CA", der, context=context)
    facts = {"status": "made", "ca": ca.config, "policy": arguments.policy, "trusted": not arguments.no_trust}
    show_facts(facts, as_json=arguments.json)
    return 0


def make_ca(profile: Profile, wanted: argparse.Namespace, algorithm: object, bits: int) -> LocalCA:
    """Makes a CA: the profile's own, or one in a folder of its own that profile.toml names.

    Args:
        profile: where.
        wanted: name, policy, host, subject, days, two_tier, path, as ``ca init`` has them.
        algorithm: a KeyAlgorithm.
        bits: the length of its key.

    Raises:
        CAError: WIN32_ALREADY_EXISTS where there is a CA already, E_INVALIDARG for a name or key that cannot be.
    """
    from certenroll.ca.local import LocalCA
    from certenroll.ca.templates import Mode
    from keystores.base import KeyAlgorithm

    ca = LocalCA.create(
        profile.directory / wanted.path if wanted.path else profile.ca_directory,
        wanted.name,
        algorithm=KeyAlgorithm(algorithm),
        bits=bits,
        validity_days=wanted.days,
        subject=wanted.subject,
        two_tier=wanted.two_tier,
        host=wanted.host,
        policy=Mode(wanted.policy),
    )
    if wanted.path:
        _name_in_settings(profile.directory / "profile.toml", ca.config, wanted.path)
    return ca


def _name_in_settings(path: Path, config: str, folder: str) -> None:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    # A JSON string is a basic string of TOML.
    table = f'\n[cas.{json.dumps(config)}]\ntransport = "local"\npath = {json.dumps(folder)}\n'
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text + table, encoding="utf-8")
    os.replace(temporary, path)


def _list(arguments: argparse.Namespace) -> int:
    ca = _local_ca(arguments)
    found = ca.pending() if arguments.only_pending else ca.requests()
    show_rows([_row_facts(row) for row in found], _COLUMNS, as_json=arguments.json, empty="there is no such request")
    return 0


def _issue(arguments: argparse.Namespace) -> int:
    return _tell(arguments, _local_ca(arguments).issue(arguments.request))


def _deny(arguments: argparse.Namespace) -> int:
    answer = _local_ca(arguments).deny(arguments.request, arguments.reason)
    show_facts({"status": "denied", "request_id": answer.request_id, "message": answer.message}, as_json=arguments.json)
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    ca = _local_ca(arguments)
    answer = ca.revoke(arguments.request, serial=arguments.serial, reason=REASONS[arguments.reason])
    facts = {"status": answer.disposition.name.lower(), "request_id": answer.request_id, "message": answer.message}
    show_facts(facts, as_json=arguments.json)
    return 0


def _crl(arguments: argparse.Namespace) -> int:
    text = _pem("X509 CRL", _local_ca(arguments).publish_crl())
    if arguments.out is None:
        sys.stdout.write(text)
        return 0
    arguments.out.write_text(text, encoding="ascii")
    show_facts({"status": "published", "file": arguments.out}, as_json=arguments.json)
    return 0


def _sign(arguments: argparse.Namespace) -> int:
    from certenroll.ca.base import Submission
    from certenroll.encodings import decode_text
    from certenroll.engine.client_identity import client_identity
    from certenroll.enums import EncodingType

    request = decode_text(arguments.file.read_bytes(), EncodingType.XCN_CRYPT_STRING_ANY)
    attributes = {"CertificateTemplate": arguments.template} if arguments.template else {}
    answer = _local_ca(arguments).submit(Submission(request, attributes, requester=client_identity().user))
    return _tell(arguments, answer)


def _tell(arguments: argparse.Namespace, answer: Answer) -> int:
    """Shows an answer and writes the response. Raises ComError with the CA's code where it refused."""
    from certenroll.asn1.cms import encode_certificate_bag
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    facts: dict[str, object] = {"status": answer.disposition.name.lower().replace("under_submission", "pending")}
    facts |= {"request_id": answer.request_id, "message": answer.message}
    if answer.certificate is None:
        if answer.status:
            raise ComError(answer.status, f"request {answer.request_id}: {answer.message}")
        if arguments.out is not None:
            note(f"the CA holds the request: xenroll ca issue {answer.request_id} --out {arguments.out}")
        show_facts(facts, as_json=arguments.json)
        return NOT_YET
    if answer.certificate and arguments.out is not None:
        response = encode_certificate_bag((answer.certificate, *answer.chain), answer.crls)
        arguments.out.write_text(_pem("PKCS7", response), encoding="ascii")
        facts["file"] = arguments.out
    if answer.status not in (0, HRESULT.S_OK):
        facts["code"] = f"0x{answer.status:08X}"
    show_facts(facts, as_json=arguments.json)
    return 0


def _local_ca(arguments: argparse.Namespace) -> LocalCA:
    from certenroll.ca.directory import open_ca
    from certenroll.ca.local import LocalCA
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    ca = open_ca(_profile(context_of(arguments)), arguments.ca)
    if not isinstance(ca, LocalCA):
        raise ComError(HRESULT.WIN32_NOT_SUPPORTED, f"{ca.config} is no local CA; its own administrator decides there")
    return ca


def _local_folder(arguments: argparse.Namespace) -> Path:
    """The folder of the local CA. Raises as ``_local_ca``."""
    from certenroll.ca.directory import list_cas
    from certenroll.ca.names import same_config

    ca, profile = _local_ca(arguments), _profile(context_of(arguments))
    found = (one.path for one in list_cas(profile) if one.path is not None and same_config(one.config, ca.config))
    return next(found, profile.ca_directory)


def _profile(context: int) -> Profile:
    from certenroll.enums import X509CertificateEnrollmentContext as Context
    from certenroll.stores.profile import open_profile
    from keystores.base import Scope

    return open_profile(Scope.MACHINE if context == Context.ContextMachine else Scope.USER)


def _row_facts(row: Row) -> dict[str, object]:
    return {
        "request_id": row.id,
        "disposition": row.disposition.name.lower().replace("under_submission", "pending"),
        "subject": _subject(row),
        "template": row.template,
        "requester": row.requester,
        "serial": row.serial,
        "submitted": _time(row.submitted),
        "not_after": _time(row.not_after),
        "status": f"0x{row.status:08X}",
        "message": row.message,
    }


def _subject(row: Row) -> str:
    from certenroll.asn1 import pkcs10
    from certenroll.asn1.certificates import read_certificate
    from certenroll.asn1.der import DecodeError
    from certenroll.asn1.names import decode_name
    from certenroll.enums import X500NameFlags

    try:
        name = read_certificate(row.certificate).subject if row.certificate else pkcs10.decode(row.request).subject
        return decode_name(name, X500NameFlags.XCN_CERT_NAME_STR_REVERSE_FLAG)
    except DecodeError:  # the CA keeps what it could not read, too
        return ""


def _time(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def _serial(text: str) -> int:
    try:
        return int(text.replace(":", ""), 16)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no hexadecimal number") from None


def _pem(label: str, data: bytes) -> str:
    from certenroll.encodings import encode_text
    from certenroll.enums import EncodingType

    flags = EncodingType.XCN_CRYPT_STRING_BASE64 | EncodingType.XCN_CRYPT_STRING_NOCR
    return f"-----BEGIN {label}-----\n{encode_text(data, flags)!s}-----END {label}-----\n"
