"""xenroll ca recovery-agent and xenroll ca recover: who may have archived keys back, and how they get one."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from xenroll_compat.cli.options import add_password, password_of
from xenroll_compat.cli.output import show_facts

if TYPE_CHECKING:
    from certenroll.ca.local import LocalCA

OpenCA = Callable[[argparse.Namespace], "LocalCA"]


def configure(agent: argparse.ArgumentParser, recover: argparse.ArgumentParser, open_ca: OpenCA) -> None:
    """Adds the arguments of both actions.

    Args:
        agent: of recovery-agent.
        recover: of recover.
        open_ca: opens the CA that the arguments name.
    """
    agent.add_argument("file", type=Path, metavar="FILE", help="the agent's certificate: RSA, in DER, base64 or PEM")
    agent.set_defaults(run=lambda arguments: _add_agent(arguments, open_ca(arguments)))
    recover.add_argument("request", metavar="REQUEST", help="the number of the request at the CA")
    recover.add_argument(
        "--agent-key", type=Path, required=True, metavar="FILE", help="the private key of a key recovery agent, PEM"
    )
    recover.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write the PFX")
    add_password(recover, "the PFX")
    recover.set_defaults(run=lambda arguments: _recover(arguments, open_ca(arguments)))


def _add_agent(arguments: argparse.Namespace, ca: LocalCA) -> int:
    from certenroll.encodings import decode_text
    from certenroll.enums import EncodingType

    ca.add_recovery_agent(decode_text(arguments.file.read_bytes(), EncodingType.XCN_CRYPT_STRING_ANY))
    show_facts({"status": "added", "ca": ca.config, "agents": len(ca.recovery_agents())}, as_json=arguments.json)
    return 0


def _recover(arguments: argparse.Namespace, ca: LocalCA) -> int:
    from certenroll.asn1.pfx import write_pfx
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    password = password_of(arguments)
    if password is None:
        text = "a PFX holds a private key: name its password by --password-file or --ask-password"
        raise ComError(HRESULT.E_INVALIDARG, text)
    answer = ca.retrieve(arguments.request)
    if answer.certificate is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"no certificate was issued: {answer.message}")
    key = ca.recover(arguments.request, _read_key(arguments.agent_key))
    pfx = write_pfx(key, answer.certificate, answer.chain, password.reveal())
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    with os.fdopen(os.open(arguments.out, flags, 0o600), "wb") as file:
        file.write(pfx)
    facts = {"status": "recovered", "request_id": answer.request_id, "file": arguments.out}
    show_facts(facts, as_json=arguments.json)
    return 0


def _read_key(path: Path) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    try:
        return load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        text = f"{path} is no private key in PEM without a passphrase"
        raise ComError(HRESULT.NTE_BAD_KEY, text) from None
