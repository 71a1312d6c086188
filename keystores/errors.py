"""What can go wrong with a private key. Each error carries the code that Windows gives and says what to do.

    KeyStoreError
      StoreUnavailable        no TPM, no card, no library for it
        PackageMissing        the Python package of this key store is not installed
      StoreBusy               another thread or process kept the device too long
      KeyExists               the container is there already
      NoSuchKey               there is no such container, or its reference cannot be resolved
      UnsupportedKey          the device lacks the algorithm or the size
      NotPermitted            the key may not do that (export, decrypt)
      PinError
        WrongPin  PinBlocked  PinRequired  PinUnreadable
      StoreFull               the device has no room left
      DeviceFailure           the device answered something else
      BadKeyData              a key that was given cannot be read, or does not fit its use

Codes are Windows result codes (unsigned). They stand here as numbers because key stores know nothing of COM; a test
holds them against certenroll.hresults.
"""

from typing import ClassVar


class KeyStoreError(Exception):
    """Base of every error of a key store.

    Attributes:
        hresult: the Windows result code, unsigned.
        store: the key store that raised it ("software", "tpm", "smartcard"), or "".
    """

    code: ClassVar[int] = 0x80090020  # NTE_FAIL

    def __init__(self, message: str, *, store: str = "", hresult: int | None = None) -> None:
        self.store = store
        self.hresult = self.code if hresult is None else hresult
        super().__init__(message)


class StoreUnavailable(KeyStoreError):
    """The device is not there. A preferred location falls back on this error and on no other."""

    code = 0x80090030  # NTE_DEVICE_NOT_READY; the TPM gives 0x8028400F TBS_E_TPM_NOT_FOUND, a card 0x8010000C or 0x8010002E


class PackageMissing(StoreUnavailable):
    """The Python package that speaks to the device is not installed; the message names the extra."""

    code = 0x8007007E  # ERROR_MOD_NOT_FOUND


class StoreBusy(KeyStoreError):
    """The device is there and another thread or process kept it past the time allowed."""

    code = 0x800705B4  # ERROR_TIMEOUT


class KeyExists(KeyStoreError):
    """A container of that name is there already; nothing was changed."""

    code = 0x8009000F  # NTE_EXISTS


class NoSuchKey(KeyStoreError):
    """There is no such container, or what is there can no longer be reached."""

    code = 0x80090016  # NTE_BAD_KEYSET


class UnsupportedKey(KeyStoreError):
    """The store is there and does not make, or take, a key of that algorithm or length."""

    code = 0x80090029  # NTE_NOT_SUPPORTED; a length out of range is 0x80090004 NTE_BAD_LEN


class NotPermitted(KeyStoreError):
    """The key is there and may not do what was asked of it."""

    code = 0x8009000B  # NTE_BAD_KEY_STATE: the key is not valid for use in the specified state


class PinError(KeyStoreError):
    """The PIN, or the want of one, stands in the way."""

    code = 0x8010006B  # SCARD_W_WRONG_CHV


class WrongPin(PinError):
    """The PIN was refused. ``attempts_left`` is None where the device does not tell."""

    code = 0x8010006B  # SCARD_W_WRONG_CHV

    def __init__(self, message: str, *, store: str = "", attempts_left: int | None = None) -> None:
        self.attempts_left = attempts_left
        super().__init__(message, store=store)


class PinBlocked(PinError):
    """The device takes no PIN any more until it is unblocked."""

    code = 0x8010006C  # SCARD_W_CHV_BLOCKED


class PinRequired(PinError):
    """The device wants a PIN and none was given (Windows would have asked the user)."""

    code = 0x80090022  # NTE_SILENT_CONTEXT


class PinUnreadable(PinError):
    """The place that was named for the PIN is not there, or is open to others and therefore refused."""

    code = 0x80070005  # E_ACCESSDENIED


class StoreFull(KeyStoreError):
    """The device has no room left for the key."""

    code = 0x80090023  # NTE_TOKEN_KEYSET_STORAGE_FULL


class DeviceFailure(KeyStoreError):
    """The device, or the disk, answered with something that no other error names."""

    code = 0x80090020  # NTE_FAIL


class BadKeyData(KeyStoreError):
    """A key that was given, or that lies in the store, cannot be read or does not fit its use."""

    code = 0x80090003  # NTE_BAD_KEY
