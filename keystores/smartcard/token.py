"""The card: found by its URI, a session on it, and its PIN.

Knows no containers. ``Card.run`` gives work a session, and is the only way to one. Locks come in one order, the file lock
before the process's: the file lock is held while the library starts and while somebody logs in, the process's lock during
every call. Nobody is asked for a PIN while a lock is held.

A login lasts as long as the process and belongs to whoever knows the PIN: work that brings none, or another one, does not
profit from it. The number of tries is the card's, and the last one is the user's: it is never spent here unasked.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from pkcs11 import exceptions
from pkcs11.attributes import AttributeMapper, handle_ulong
from pkcs11.constants import Attribute, TokenFlag
from pkcs11.types import PROTECTED_AUTH, Session, Token

from keystores import pins
from keystores.base import Secret
from keystores.errors import DeviceFailure, PinBlocked, StoreUnavailable, WrongPin
from keystores.locks import file_lock, pkcs11_lock
from keystores.smartcard.errors import MEANINGS, NO_CARD, STORE, UNKNOWN_READER, translated
from keystores.smartcard.module import TOKEN_VARIABLE, Module
from keystores.smartcard.uri import TokenUri

T = TypeVar("T")

# The session went away, or was never this process's: worth one more try on a new one.
_VANISHED: Final = (
    exceptions.SessionHandleInvalid,
    exceptions.SessionClosed,
    exceptions.UserNotLoggedIn,
    exceptions.DeviceRemoved,
    exceptions.TokenNotPresent,
    exceptions.SlotIDInvalid,
)


@dataclass(frozen=True)
class Access:
    """Who wants in.

    Attributes:
        container: what for, for the question and for messages.
        pin: the PIN brought along, or None: the card's source of PINs is asked then.
    """

    container: str
    pin: Secret | None = None


@dataclass(frozen=True)
class Connection:
    """An open session on a token of this process.

    Attributes:
        token: the token.
        session: the session; read and write where the token can be written to.
        secret: the PIN that logged it in, or None.
        logged_in: whether somebody logged in.
    """

    token: Token
    session: Session
    secret: Secret | None = None
    logged_in: bool = False

    def serves(self, secret: Secret | None) -> bool:
        """Whether one who brings ``secret`` may use this session for what needs a login."""
        if not self.token.flags & TokenFlag.LOGIN_REQUIRED:
            return True
        return self.logged_in and (secret == self.secret or bool(self.token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH))


@dataclass
class Card:
    """One token of one library.

    Attributes:
        module: the library.
        uri: which token; an empty URI means the only one.
        source: who knows the PIN where work brings none.
        locks: the folder of the lock files.
        allow_final_try: whether the last try before the PIN blocks may be spent.
    """

    module: Module
    uri: TokenUri
    source: pins.PinSource | None
    locks: Path
    allow_final_try: bool = False
    _identity: tuple[str, str, int] | None = field(default=None, repr=False)
    _remembered: Secret | None = field(default=None, repr=False)

    def run(self, work: Callable[[Connection], T], access: Access | None, doing: str) -> T:
        """Does ``work`` on a session, and once more where the session turns out to be gone.

        Args:
            work: is given the connection. It must be repeatable as far as its first call to the token.
            access: who wants in, or None where public objects are enough.
            doing: what is being done, for messages ("signing with container web").

        Raises:
            StoreUnavailable: no such token. PinError: as its name says. StoreBusy: another process keeps the lock.
            What ``work`` raises; PKCS#11 exceptions come out translated.
        """
        with translated(doing):
            try:
                return self._attempt(work, access)
            except _VANISHED:
                with pkcs11_lock:
                    self.module.connections.clear()
                return self._attempt(work, access)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keeps other processes from writing to the tokens of this library: for looking first and writing then."""
        with file_lock(self._lock_file("write")):
            yield

    def known_secret(self, access: Access) -> Secret | None:
        """The PIN of ``access`` as far as it is known without asking."""
        return access.pin or self._remembered

    def _attempt(self, work: Callable[[Connection], T], access: Access | None) -> T:
        secret = self.known_secret(access) if access else None
        with pkcs11_lock:  # the usual case: nothing to start, nobody to ask
            ready = self._connected()
            if ready is not None and (access is None or ready.serves(secret)):
                return work(ready)
        with ExitStack() as held:
            connection = self._under_locks(held, self._connect)
            if access is None or connection.serves(secret):
                return work(connection)
        secret = secret or self._ask(connection.token, access)
        with ExitStack() as held:
            connection = self._under_locks(held, lambda: self._log_in(secret))
            self._remembered = secret if access.pin is None else self._remembered
            return work(connection)

    def _under_locks(self, held: ExitStack, step: Callable[[], Connection]) -> Connection:
        """Takes a step under both locks; of these the process's stays held, so that nobody takes the session away."""
        with file_lock(self._lock_file("login")):
            held.enter_context(pkcs11_lock)
            return step()

    def _lock_file(self, purpose: str) -> Path:
        digest = hashlib.sha256(os.fsencode(self.module.path)).hexdigest()[:16]
        return self.locks / f"pkcs11-{digest}.{purpose}.lock"

    def _connected(self) -> Connection | None:
        if self._identity is None or not self.module.running:
            return None
        found: Connection | None = self.module.connections.get(self._identity)
        return found

    def _connect(self) -> Connection:
        ready = self._connected()
        if ready is not None:
            return ready
        token = self._find()
        if identity_of(token) != self._identity:  # another card: a PIN that was right for the last one is not tried on it
            self._remembered, self._identity = None, identity_of(token)
        shared: Connection | None = self.module.connections.get(self._identity)
        return shared if shared is not None else self._keep(Connection(token, _open(token)))

    def _keep(self, connection: Connection) -> Connection:
        self.module.connections[identity_of(connection.token)] = connection
        return connection

    def _find(self) -> Token:
        self.module.start()
        found = self._matching()
        if not found:  # a library does not see tokens that were made, or put in, after it started
            self.module.restart()
            found = self._matching()
        if not found:
            raise StoreUnavailable(f"no token answers to {self._meant()}; put the card in", store=STORE, hresult=NO_CARD)
        if len(found) > 1:
            names = ", ".join(str(TokenUri(token=token.label, serial=_serial(token))) for token in found)
            raise DeviceFailure(
                f"{len(found)} tokens answer to {self._meant()}; set {TOKEN_VARIABLE} to one of: {names}",
                store=STORE, hresult=UNKNOWN_READER,
            )
        return found[0]

    def _meant(self) -> str:
        return str(self.uri) if self.uri != TokenUri() else "the request for any token"

    def _matching(self) -> list[Token]:
        return [token for token in _initialised_tokens(self.module) if self.uri.selects(
            label=token.label, manufacturer=token.manufacturer_id, model=token.model, serial=_serial(token),
            slot_id=token.slot.slot_id,
        )]

    def _ask(self, token: Token, access: Access) -> Secret | None:
        purpose = f"token {token.label}, container {access.container}"
        if token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH:
            return self.source(purpose) if self.source else None  # the reader's own keypad asks where nobody knows it
        return pins.require(self.source, purpose, store=STORE)

    def _log_in(self, secret: Secret | None) -> Connection:
        connection = self._connect()
        if connection.serves(secret):
            return connection
        token = connection.token.slot.get_token()  # its flags of now
        self._check_tries(token)
        connection.session.close()  # of another PIN's owner, or of nobody: a second login beside it would be refused
        del self.module.connections[identity_of(token)]
        try:
            session = _open(token, PROTECTED_AUTH if secret is None else secret.reveal())
        except exceptions.UserAlreadyLoggedIn:
            session = _open(token)  # other code of this process is logged in; its login is the token's for all of it
        except exceptions.PKCS11Error as error:
            self.module.restart()  # the failed login left a session open that cannot be reached
            raise self._login_error(error) from error
        return self._keep(Connection(token, session, secret, logged_in=True))

    def _check_tries(self, token: Token) -> None:
        if token.flags & TokenFlag.USER_PIN_LOCKED:
            raise MEANINGS["PinLocked"].raised_while(f"logging in to token {token.label!r}")
        if not token.flags & TokenFlag.USER_PIN_INITIALIZED:
            raise MEANINGS["UserPinNotInitialized"].raised_while(f"logging in to token {token.label!r}")
        if token.flags & TokenFlag.USER_PIN_FINAL_TRY and not self.allow_final_try:
            raise PinBlocked(
                f"token {token.label!r} has one try left before its PIN blocks, and it is not spent unasked; log in "
                "once with the right PIN in the card's own tool (pkcs11-tool --login --test), or allow the final try",
                store=STORE,
            )

    def _login_error(self, error: Exception) -> Exception:
        if not isinstance(error, exceptions.PinIncorrect | exceptions.PinInvalid | exceptions.PinLenRange):
            return error
        self._remembered = None
        flags = self._find().flags
        if flags & TokenFlag.USER_PIN_LOCKED:
            return MEANINGS["PinLocked"].raised_while("logging in")
        last = bool(flags & TokenFlag.USER_PIN_FINAL_TRY)
        advice = "; one try is left" if last else ""
        return WrongPin(f"logging in: the PIN was refused{advice}", store=STORE, attempts_left=1 if last else None)


def identity_of(token: Token) -> tuple[str, str, int]:
    """What tells a token from every other one in its library: serial number, label and slot."""
    return _serial(token), token.label, token.slot.slot_id


def uri_of(token: Token) -> TokenUri:
    """The URI that names a token."""
    return TokenUri(token=token.label, serial=_serial(token) or None)


def _serial(token: Token) -> str:
    serial: bytes = token.serial
    return serial.decode("utf-8", "replace").strip("\0 ")


def _initialised_tokens(module: Module) -> list[Token]:
    found = []
    for slot in module.library.get_slots(token_present=True):
        try:
            token = slot.get_token()
        except (exceptions.TokenNotPresent, exceptions.TokenNotRecognised):
            continue  # taken out since the slots were listed, or a card of somebody else's
        if token.flags & TokenFlag.TOKEN_INITIALIZED:
            found.append(token)
    return found


def _open(token: Token, pin: object | None = None) -> Session:
    mapper = AttributeMapper()
    mapper.register_handler(Attribute.CERTIFICATE_CATEGORY, *handle_ulong)
    mapper.register_handler(Attribute.LABEL, str.encode, lambda label: label.decode("utf-8", "replace"))  # any may be there
    writable = not token.flags & TokenFlag.WRITE_PROTECTED
    return token.open(rw=writable, user_pin=pin, attribute_mapper=mapper)
