"""xenroll doctor: what works on this machine, and what to install for the rest."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
from collections.abc import Callable, Iterator
from typing import Final

from xenroll_compat.cli.options import add_common, add_pin, context_of, pin_of
from xenroll_compat.cli.output import note, show_rows

_COLUMNS: Final = ("kind", "name", "works", "detail")
Row = dict[str, object]

# Key store -> (its Python package, what to install for it).
_KEY_STORES: Final = {
    "software": ("cryptography", ""),
    "tpm": (
        "tpm2_pytss",
        "a TPM 2.0 (/dev/tpmrm0 or swtpm, named in XENROLL_TPM_TCTI);"
        " apt-get install libtss2-dev gcc pkg-config; pip install 'xenroll[tpm]'",
    ),
    "smartcard": (
        "pkcs11",
        "a card and its PKCS#11 library, named in XENROLL_PKCS11_MODULE: apt-get install opensc (softhsm2 without a card);"
        " pip install 'xenroll[smartcard]'",
    ),
}


def _has_package(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _has_swtpm() -> bool:
    return shutil.which("swtpm") is not None


def _has_softhsm() -> bool:
    from keystores.smartcard.module import softhsm_library

    return softhsm_library() is not None


_SCRIPTS: Final = "pip install 'xenroll[scripts]'"
# What scripts, the demo and the terminal use besides: name -> (whether it is here, what for, what to install).
_EXTRAS: Final[dict[str, tuple[Callable[[], bool], str, str]]] = {
    "asppy": (lambda: _has_package("ASPPY"), "scripts and pages in VBScript", _SCRIPTS),
    "quickjs-ng": (lambda: _has_package("_quickjs"), "scripts and pages in JScript", _SCRIPTS),
    "swtpm": (_has_swtpm, "a TPM in software, for the demo", "apt-get install swtpm libtss2-tcti-swtpm0"),
    "softhsm2": (_has_softhsm, "a card in software, for the demo", "apt-get install softhsm2"),
    "rich": (lambda: _has_package("rich"), "tables and progress on a terminal", "pip install 'xenroll[terminal]'"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    add_pin(parser)
    add_common(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    pin_of(arguments)
    context = context_of(arguments)
    rows = [
        *_checked("key store", lambda: _key_stores(context)),
        *_checked("CA", lambda: _authorities(arguments.machine)),
        *_extras(),
    ]
    show_rows(rows, _COLUMNS, as_json=arguments.json)
    if not arguments.json:
        for row in rows:
            if row["install"]:
                note(f"for {row['name']}: {row['install']}")
    return 0


def _checked(kind: str, check: Callable[[], Iterator[Row]]) -> list[Row]:
    """The rows of a check, or one that says why it could not be made."""
    from certenroll.errors import translate

    try:
        return list(check())
    except BaseException as error:
        problem = translate(error)
        if problem is None:
            raise
        return [_row(kind, "", str(problem))]


def _key_stores(context: int) -> Iterator[Row]:
    for name, (package, install) in _KEY_STORES.items():
        if not _has_package(package):
            yield _row("key store", name, f"{package} is not installed", install)
            continue
        for row in _checked("key store", lambda name=name: _key_store(context, name)):  # type: ignore[misc]
            yield row | {"name": name, "install": "" if row["works"] else install}


def _key_store(context: int, name: str) -> Iterator[Row]:
    """Asks the device what it makes, and lists its keys."""
    from certenroll.engine.opening import open_workspace
    from keystores.base import Prober

    store = open_workspace(context).key_stores.get(name)
    detail = f"{len(store.list())} keys"
    if isinstance(store, Prober):
        detail += "; makes " + " ".join(f"{algorithm.value}-{bits}" for algorithm, bits in store.supported())
    yield _row("key store", name, "", detail=detail)


def _authorities(machine: bool) -> Iterator[Row]:
    from certenroll.asn1.certificates import read_certificate
    from certenroll.ca.directory import list_cas, open_ca
    from certenroll.stores.profile import open_profile
    from keystores.base import Scope

    profile = open_profile(Scope.MACHINE if machine else Scope.USER)
    found = list_cas(profile)
    if not found:
        yield _row("CA", "none", "no CA is known to this profile", "xenroll ca init NAME, or name one in profile.toml")
    for entry in found:

        def answer(config: str = entry.config, default: bool = entry.is_default) -> Iterator[Row]:
            until = read_certificate(open_ca(profile, config).certificates()[0]).not_after
            yield _row("CA", config, "", detail=f"until {until:%Y-%m-%d}" + (", the default" if default else ""))

        for row in _checked("CA", answer):
            yield row | {"name": entry.config}


def _extras() -> Iterator[Row]:
    for name, (is_here, purpose, install) in _EXTRAS.items():
        here = is_here()
        yield _row("optional", name, "" if here else "not installed", "" if here else install, detail=purpose)


def _row(kind: str, name: str, problem: str, install: str = "", *, detail: str = "") -> Row:
    shown = detail if not problem else f"{problem} ({detail})" if detail else problem
    return {"kind": kind, "name": name, "works": not problem, "detail": shown, "install": install if problem else ""}
