"""xenroll store: the certificates of a profile, shown, exported and removed."""

from __future__ import annotations

import argparse
import base64
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xenroll_compat.cli.enroll import key_facts
from xenroll_compat.cli.options import add_common, add_password, add_pin, context_of, password_of, pin_of
from xenroll_compat.cli.output import show_facts, show_rows

if TYPE_CHECKING:
    from certenroll.facade_values import CertificateEntry

_COLUMNS: Final = ("store", "subject", "issuer", "not_after", "key_store", "thumbprint")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    listing = actions.add_parser("list", help="the certificates of a store, or of every store")
    listing.add_argument("stores", nargs="*", metavar="STORE", help="MY, CA, ROOT, REQUEST or another name")
    add_common(listing)
    listing.set_defaults(run=_list)
    show = actions.add_parser("show", help="all about one certificate, and where its key is")
    _add_certificate(show)
    show.set_defaults(run=_show)
    export = actions.add_parser("export", help="write a certificate to a file")
    _add_certificate(export)
    export.add_argument("--form", choices=("pem", "der", "pfx"), default="pem", help="pfx has the key too")
    export.add_argument("--out", type=Path, metavar="FILE", help="a new file; stdout where nothing is said (not for pfx)")
    export.add_argument("--chain", action="store_true", help="with the certificates above it")
    add_password(export, "the PFX")
    add_pin(export)
    export.set_defaults(run=_export)
    delete = actions.add_parser("delete", help="remove a certificate")
    _add_certificate(delete)
    delete.add_argument("--with-key", action="store_true", help="delete its private key too")
    add_pin(delete)
    delete.set_defaults(run=_delete)


def _add_certificate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("thumbprint", metavar="THUMBPRINT", help="SHA-1 in hexadecimal, eight digits of it or more")
    parser.add_argument("--store", default="MY", metavar="STORE", help="where it is; MY where nothing is said")
    add_common(parser)


def _list(arguments: argparse.Namespace) -> int:
    from certenroll import facade

    context = context_of(arguments)
    names = arguments.stores or facade.store_names(context)
    found = [_facts(one) for name in names for one in facade.certificates(name, context)]
    show_rows(found, _COLUMNS, as_json=arguments.json, empty="there is no certificate")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from certenroll import facade
    from certenroll.enums import CERTENROLL_PROPERTYID

    entry = facade.find_certificate(arguments.store, arguments.thumbprint, context_of(arguments))
    names = {int(one): one.name for one in CERTENROLL_PROPERTYID}
    properties = [names.get(number, str(number)) for number in sorted(entry.properties)]
    show_facts(_facts(entry) | {"properties": properties}, as_json=arguments.json)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from certenroll import facade
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    context = context_of(arguments)
    entry = facade.find_certificate(arguments.store, arguments.thumbprint, context)
    if arguments.form == "pfx":
        pin, password = pin_of(arguments), password_of(arguments)
        if arguments.out is None or password is None:
            text = "a PFX holds a private key: name its file by --out, and its password by --password-file or --ask-password"
            raise ComError(HRESULT.E_INVALIDARG, text)
        data = facade.export_pfx(entry.store, entry.thumbprint, password, chain=arguments.chain, pin=pin, context=context)
    else:
        ders = facade.chain_of(entry, context) if arguments.chain else (entry.der,)
        data = b"".join(map(_pem, ders)) if arguments.form == "pem" else ders[0]
    if arguments.out is None:
        sys.stdout.buffer.write(data)
        return 0
    _write_new(arguments.out, data, 0o600 if arguments.form == "pfx" else 0o644)
    show_facts({"status": "exported", "file": arguments.out, "thumbprint": entry.thumbprint}, as_json=arguments.json)
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    from certenroll import facade

    pin_of(arguments)
    entry = facade.delete_certificate(
        arguments.store, arguments.thumbprint, with_key=arguments.with_key, context=context_of(arguments)
    )
    show_facts(_facts(entry) | {"status": "deleted"}, as_json=arguments.json)
    return 0


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Writes a file that was not there before, with that mode from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(data)


def _pem(der: bytes) -> bytes:
    digits = base64.b64encode(der)
    lines = b"\n".join(digits[at : at + 64] for at in range(0, len(digits), 64))
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n"


def _facts(entry: CertificateEntry) -> dict[str, object]:
    return {
        "store": entry.store,
        "subject": entry.subject,
        "issuer": entry.issuer,
        "not_before": entry.not_before,
        "not_after": entry.not_after,
        "thumbprint": entry.thumbprint,
        "friendly_name": entry.friendly_name,
        "description": entry.description,
        **key_facts(entry.key),
    }
