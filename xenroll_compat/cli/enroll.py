"""xenroll enroll: one certificate from options, through the objects of CertEnroll as a script would use them."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xenroll_compat.cli.options import add_common, add_pin, context_of, pin_of
from xenroll_compat.cli.output import progress, show_facts

if TYPE_CHECKING:
    from keystores.base import Secret

# What --algorithm takes -> the name that CObjectId knows.
ALGORITHMS: Final = {"RSA": "RSA", "P-256": "ECDSA_P256", "P-384": "ECDSA_P384", "P-521": "ECDSA_P521"}

# What --usage takes besides object identifiers.
USAGES: Final = {
    "client": "1.3.6.1.5.5.7.3.2",
    "server": "1.3.6.1.5.5.7.3.1",
    "email": "1.3.6.1.5.5.7.3.4",
    "code": "1.3.6.1.5.5.7.3.3",
    "smartcard": "1.3.6.1.4.1.311.20.2.2",
}

# What --san takes in front of the colon -> AlternativeNameType.
NAME_TYPES: Final = {
    "email": "XCN_CERT_ALT_NAME_RFC822_NAME",
    "dns": "XCN_CERT_ALT_NAME_DNS_NAME",
    "uri": "XCN_CERT_ALT_NAME_URL",
    "upn": "XCN_CERT_ALT_NAME_USER_PRINCIPLE_NAME",
    "oid": "XCN_CERT_ALT_NAME_REGISTERED_ID",
}
_OID: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_PREFIX: Final = "X509Enrollment."


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    what = parser.add_argument_group("the certificate")
    what.add_argument("--subject", metavar="NAME", help='its subject: "CN=alice, O=Example"')
    what.add_argument("--template", default="", metavar="NAME", help="the CA's template, by name or object identifier")
    what.add_argument("--usage", type=_usages, default=(), metavar="USE,...", help=f"{', '.join(USAGES)} or OIDs")
    types = ", ".join(NAME_TYPES)
    what.add_argument("--san", type=_names, default=(), metavar="TYPE:NAME,...", help=f"alternative names: {types}")
    what.add_argument("--friendly-name", default="", metavar="TEXT", help="a name for your eyes")
    key = parser.add_argument_group("its key")
    places = "1 TPM, 2 TPM if there is one, 3 software, 4 smart card"
    key.add_argument("--key-location", type=int, choices=range(1, 5), help=places)
    key.add_argument("--container", default="", metavar="NAME", help="the name of its container (wanted for location 4)")
    key.add_argument("--algorithm", choices=ALGORITHMS, default="RSA", help="RSA (the default) or a curve")
    key.add_argument("--length", type=_length, default=0, metavar="BITS", help="of an RSA key; 2048 where nothing is said")
    key.add_argument("--hash", metavar="NAME", help="of the request's signature: sha256 (the default), sha384, sha512")
    key.add_argument("--exportable", action="store_true", help="let the private key leave its store again (software alone)")
    add_pin(key)  # type: ignore[arg-type]
    where = parser.add_argument_group("the CA").add_mutually_exclusive_group()
    where.add_argument("--ca", default="", metavar="CONFIG", help="host\\name of the CA; else the profile's own")
    where.add_argument("--out", type=Path, metavar="FILE", help="send nothing: write the request to a file")
    add_common(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import certenroll
    from certenroll import facade

    pin = pin_of(arguments)
    if arguments.out is None:
        facade.check_ca(arguments.ca, context_of(arguments))  # before a key is made
    enrollment = certenroll.Dispatch(_PREFIX + "CX509Enrollment")
    enrollment.InitializeFromRequest(_request(arguments, pin))
    if arguments.friendly_name:
        enrollment.CertificateFriendlyName = arguments.friendly_name
    if pin is not None:
        facade.configure(enrollment, pin=pin)
    if arguments.out is not None:
        return _write_request(arguments, enrollment)
    if arguments.ca:
        facade.choose_ca(enrollment, arguments.ca)
    with progress("making the key and asking the CA"):
        enrollment.Enroll()
    return _show(arguments, enrollment)


def _request(arguments: argparse.Namespace, pin: Secret | None) -> Any:
    from certenroll import Dispatch

    request = Dispatch(_PREFIX + "CX509CertificateRequestPkcs10")
    request.InitializeFromPrivateKey(context_of(arguments), _key(arguments, pin), arguments.template)
    if arguments.subject:
        name = Dispatch(_PREFIX + "CX500DistinguishedName")
        name.Encode(arguments.subject)
        request.Subject = name
    if arguments.hash:
        request.HashAlgorithm = _algorithm(arguments.hash, "XCN_CRYPT_HASH_ALG_OID_GROUP_ID")
    for extension in _extensions(arguments):
        request.X509Extensions.Add(extension)
    return request


def _key(arguments: argparse.Namespace, pin: Secret | None) -> Any:
    from certenroll import Dispatch
    from certenroll.enums import X509PrivateKeyExportFlags as Export

    key = Dispatch(_PREFIX + "CX509PrivateKey")
    key.MachineContext = arguments.machine
    key.KeyLocation = arguments.key_location or 0
    key.ContainerName = arguments.container
    key.Algorithm = _algorithm(ALGORITHMS[arguments.algorithm], "XCN_CRYPT_PUBKEY_ALG_OID_GROUP_ID")
    key.Length = arguments.length
    if arguments.exportable:
        key.ExportPolicy = Export.XCN_NCRYPT_ALLOW_EXPORT_FLAG | Export.XCN_NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG
    if pin is not None:
        key.Pin = pin.reveal()
    return key


def _algorithm(name: str, group: str) -> Any:
    from certenroll import Dispatch
    from certenroll.enums import AlgorithmFlags, ObjectIdGroupId, ObjectIdPublicKeyFlags

    found = Dispatch(_PREFIX + "CObjectId")
    flags = ObjectIdPublicKeyFlags.XCN_CRYPT_OID_INFO_PUBKEY_ANY
    found.InitializeFromAlgorithmName(ObjectIdGroupId[group], flags, AlgorithmFlags.AlgorithmFlagsNone, name)
    return found


def _extensions(arguments: argparse.Namespace) -> list[Any]:
    from certenroll import Dispatch
    from certenroll.enums import AlternativeNameType

    found = []
    if arguments.usage:
        usages = Dispatch(_PREFIX + "CObjectIds")
        for dotted in arguments.usage:
            usage = Dispatch(_PREFIX + "CObjectId")
            usage.InitializeFromValue(dotted)
            usages.Add(usage)
        found.append(Dispatch(_PREFIX + "CX509ExtensionEnhancedKeyUsage"))
        found[-1].InitializeEncode(usages)
    if arguments.san:
        names = Dispatch(_PREFIX + "CAlternativeNames")
        for kind, value in arguments.san:
            name = Dispatch(_PREFIX + "CAlternativeName")
            name.InitializeFromString(AlternativeNameType[kind], value)
            names.Add(name)
        found.append(Dispatch(_PREFIX + "CX509ExtensionAlternativeNames"))
        found[-1].InitializeEncode(names)
    return found


def _write_request(arguments: argparse.Namespace, enrollment: Any) -> int:
    from certenroll import facade
    from certenroll.enums import EncodingType

    try:
        with arguments.out.open("x", encoding="ascii", newline="") as out, progress("making the key"):
            out.write(enrollment.CreateRequest(EncodingType.XCN_CRYPT_STRING_BASE64REQUESTHEADER))
    except FileExistsError:
        raise
    except BaseException:
        arguments.out.unlink(missing_ok=True)
        raise
    key = facade.key_of_request(enrollment)
    facts = {"status": "request written", "file": arguments.out, "thumbprint": facade.request_thumbprint(enrollment)}
    show_facts(facts | key_facts(key), as_json=arguments.json)
    return 0


def _show(arguments: argparse.Namespace, enrollment: Any) -> int:
    from certenroll import facade
    from certenroll.asn1.certificates import read_certificate
    from certenroll.enums import EnrollmentEnrollStatus as Status
    from certenroll.errors import ComError

    status = enrollment.Status
    if status.Status not in (Status.Enrolled, Status.EnrollPended):
        raise ComError(status.Error, f"request {enrollment.RequestIdString} was refused: {status.Text}")
    facts: dict[str, object] = {"status": "pending" if status.Status == Status.EnrollPended else "enrolled"}
    facts |= {"ca": enrollment.CAConfigString, "request_id": enrollment.RequestIdString}
    if status.Status == Status.Enrolled:
        facts["thumbprint"] = read_certificate(facade.installation_of(enrollment).certificate or b"").sha1.hex().upper()
    show_facts(facts | key_facts(facade.key_of_request(enrollment)), as_json=arguments.json)
    return 0


def key_facts(key: Any) -> dict[str, object]:
    """Where a key is, as tables and JSON name it; nothing for None."""
    if key is None:
        return {}
    asked = key.asked_location
    return {
        "container": key.container,
        "provider": key.provider_name,
        "key_store": key.store,
        "asked_location": int(asked) if asked is not None else None,
        "used_location": int(key.used_location),
        "fallback": key.fallback,
        "key": key.reference,
    }


def _usages(text: str) -> tuple[str, ...]:
    found = tuple(USAGES.get(one.strip().lower(), one.strip()) for one in text.split(",") if one.strip())
    wrong = [one for one in found if not _OID.fullmatch(one)]
    if wrong or not found:
        raise argparse.ArgumentTypeError(f"{', '.join(wrong) or 'nothing'} is no use: {', '.join(USAGES)} or 1.3.6.1...")
    return found


def _names(text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for one in text.split(","):
        kind, _, value = one.strip().partition(":")
        if kind.lower() not in NAME_TYPES or not value:
            forms = ", ".join(f"{one}:..." for one in NAME_TYPES)
            raise argparse.ArgumentTypeError(f"{one.strip()!r} is no name: write {forms}")
        found.append((NAME_TYPES[kind.lower()], value))
    return tuple(found)


def _length(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 0xFFFF:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bits")
    return int(text)
