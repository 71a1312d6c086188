"""One key in a TPM: what it can be asked to do, and the PIN that it wants.

Knows no pyca keys and no folder. Each operation loads the key, uses it and removes it again under the TPM's lock.
A PIN is proved once, when a key is opened, by a command that does nothing else; before that the TPM's counter of wrong
PINs is read, and the last try is kept for a caller who asks for it, because after it the TPM refuses every PIN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from keystores.base import KeyUse, Secret
from keystores.errors import DeviceFailure, NotPermitted, PinBlocked, PinError, UnsupportedKey, WrongPin
from keystores.tpm.context import Connection, load_tss
from keystores.tpm.errors import BAD_LEN, FAILURE, STORE, DecryptionFailed
from keystores.tpm.files import KeyFile
from keystores.tpm.public_area import NO_DA, PublicFacts

if TYPE_CHECKING:
    from tpm2_pytss.ESAPI import ESAPI

Result = TypeVar("Result")

_BAD_PADDING: Final = {BAD_LEN, FAILURE}  # what TPMs answer where the padding inside a ciphertext is wrong
LONGEST_PIN: Final = 32  # bytes: the digest of the keys' name algorithm, SHA-256
_BLOCKED: Final = (
    "one more wrong PIN would lock every PIN of this TPM; wait for its recovery time, have its owner run"
    " tpm2_dictionarylockout --clear-lockout, or set allow_final_try"
)


def commands() -> ModuleType:
    """The module of TPM commands, loaded with tpm2_pytss when first asked for. Raises PackageMissing."""
    load_tss()
    from keystores.tpm import objects

    return objects


def pin_bytes(pin: Secret | None) -> bytes:
    """A PIN as a TPM takes it; b"" for none.

    Raises:
        PinError: it is longer than 32 bytes in UTF-8, or ends in a zero character (which a TPM would take away).
    """
    data = b"" if pin is None else pin.reveal().encode("utf-8", "surrogatepass")
    if len(data) > LONGEST_PIN or data.endswith(b"\0"):
        raise PinError(f"the PIN of a TPM key has at most {LONGEST_PIN} bytes and no zero at its end", store=STORE)
    return data


@dataclass(frozen=True, eq=False)
class TpmKey:
    """A key and the TPM that it is for.

    Attributes:
        connection: the TPM.
        container: the key's name, for messages.
        file: the key as its file holds it.
        facts: what its public area says.
        pin: its PIN; None where it has none.
    """

    connection: Connection = field(repr=False)
    container: str
    file: KeyFile
    facts: PublicFacts = field(repr=False)
    pin: Secret | None = None

    def check(self, *, allow_final_try: bool) -> None:
        """Loads the key once, and proves its PIN where it has one.

        Args:
            allow_final_try: whether a wrong PIN may be the one after which the TPM takes none.

        Raises:
            WrongPin: with the number of tries left where they are counted.
            PinBlocked: no try is left, or only the last one.
            BadKeyData: this TPM cannot read the key.
        """
        with self.connection.locked():
            self._do("load", lambda context, handle: None)
            if self.pin is not None:
                self._prove(allow_final_try=allow_final_try)

    def sign(self, scheme: int, hash_algorithm: int, digest: bytes) -> bytes:
        """A signature over ``digest``; the numbers are TPM_ALG_ID. Raises NotPermitted, UnsupportedKey, DeviceFailure."""
        self._want(KeyUse.SIGN)
        tpm = commands()
        return bytes(self._do("sign", lambda context, handle: tpm.sign(context, handle, scheme, hash_algorithm, digest)))

    def decrypt(self, scheme: int, hash_algorithm: int | None, ciphertext: bytes) -> bytes:
        """The plaintext. Raises NotPermitted, DecryptionFailed, DeviceFailure."""
        self._want(KeyUse.DECRYPT)
        tpm = commands()
        try:
            return bytes(
                self._do("decrypt", lambda context, handle: tpm.decrypt(context, handle, scheme, hash_algorithm, ciphertext))
            )
        except (UnsupportedKey, DeviceFailure) as error:
            if error.hresult not in _BAD_PADDING:
                raise
            self._do("load", lambda context, handle: None)  # fails where it was the TPM and not the ciphertext
            message = f"the ciphertext does not decrypt with the key of container {self.container!r}"
            raise DecryptionFailed(message, store=STORE) from error

    def exchange(self, x: bytes, y: bytes) -> bytes:
        """The shared x coordinate. Raises NotPermitted, BadKeyData, DeviceFailure."""
        self._want(KeyUse.AGREE)
        tpm = commands()
        return bytes(self._do("agree", lambda context, handle: tpm.exchange(context, handle, x, y)))

    def use(self, doing: str, work: Callable[[ESAPI, Any], Result]) -> Result:
        """Does ``work`` with the context and the loaded key. Raises as ``Connection.run`` does."""
        return self._do(doing, work)

    def _want(self, use: KeyUse) -> None:
        if use not in self.facts.use:
            allowed = " and ".join(str(flag.name).lower() for flag in self.facts.use) or "do nothing"
            raise NotPermitted(f"the key of container {self.container!r} may only {allowed}", store=STORE)

    def _do(self, doing: str, work: Callable[[ESAPI, Any], Result], *, repeatable: bool = True) -> Result:
        tpm = commands()
        pin = pin_bytes(self.pin)

        def loaded(context: ESAPI) -> Result:
            with tpm.loaded(self.connection.remembered, context, self.file, pin) as handle:
                return work(context, handle)

        text = f"{doing} with the TPM key of container {self.container!r}"
        return self.connection.run(text, loaded, repeatable=repeatable)

    def _prove(self, *, allow_final_try: bool) -> None:
        counted = not self.facts.attributes & NO_DA
        if counted and not allow_final_try and self._tries_left() <= 1:
            raise PinBlocked(f"the key of container {self.container!r}: {_BLOCKED}", store=STORE)
        # Not repeated where the connection breaks off: the TPM may have counted the try.
        if not self._do("open", commands().accepts_pin, repeatable=False):
            left = self._tries_left() if counted else None
            raise WrongPin(f"the PIN of container {self.container!r} is wrong", store=STORE, attempts_left=left)

    def _tries_left(self) -> int:
        left: int = self.connection.run("read the TPM's counter of wrong PINs", commands().tries_left)
        return left
