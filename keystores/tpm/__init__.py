"""Private keys in a TPM 2.0: made inside it or put into it, kept as TSS2 PRIVATE KEY files under its storage key.

Knows no certificate requests. ``tpm2_pytss`` is loaded when a TPM is first spoken to, so this package can be imported,
and its keys listed, without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keystores.tpm.store import TpmKeyStore

__all__ = ["TpmKeyStore"]


def __getattr__(name: str) -> object:
    if name == "TpmKeyStore":
        from keystores.tpm.store import TpmKeyStore

        return TpmKeyStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
