"""What makes a Python object an automation object. Knows nothing of certificates.

A class of the object model derives from ComObject and is written as plain Python: Microsoft's names for its
methods and properties, ordinary annotations for their arguments. Deriving wraps each public member so that a call

* finds the member without regard to case, and refuses an unknown name on reading and on writing;
* has its arguments counted and converted as automation converts them ("24" is accepted for a long);
* raises nothing but ComError;
* is told to the observers, where there are any.

Which members automation sees follows from their names: ``Initialize`` and ``createPKCS10`` are members, a name with
an underscore (``der_bytes``, ``_value``) is Python's own and no script reaches it. ``_NewEnum`` is the one exception.
A property with parameters is a method with Microsoft's default (``RawData()``), its put a method ``SetX``.

Source: the automation chapter of Microsoft's COM documentation (IDispatch, VARIANT conversions, DISP_E_* codes).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FunctionType
from typing import Any, ClassVar, Generic, NamedTuple, ParamSpec, TypeVar

from certenroll.errors import BadArgument, ComError, UnknownMember, translate
from certenroll.hresults import HRESULT
from certenroll.variants import convert

T = TypeVar("T")
P = ParamSpec("P")


class Call(NamedTuple):
    """One public call, as an observer sees it when the call is over."""

    target: ComObject | None  # None for a function of the facade
    member: str
    kind: str  # "call", "get" or "put"; "facade" for a function of the facade, whose named arguments are in ``named``
    arguments: tuple[Any, ...]
    result: Any
    error: ComError | None
    seconds: float
    depth: int  # 0 for a script's own call, 1 for a call which that call made, and so on
    named: tuple[tuple[str, Any], ...] = ()


Observer = Callable[[Call], None]
_observers: list[Observer] = []
_depth: ContextVar[int] = ContextVar("depth", default=0)


@contextmanager
def observe(observer: Observer) -> Iterator[None]:
    """Tells ``observer`` of every public call made within the block. Costs nothing where no block is open."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


def observed(function: Callable[P, T]) -> Callable[P, T]:
    """Tells the observers of a function that stands beside the object model; what it raises, it raises as it is."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if not _observers:
            return function(*args, **kwargs)
        started = time.perf_counter()
        depth = _depth.get()
        token = _depth.set(depth + 1)
        result: Any = None
        failure: BaseException | None = None
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            failure = error
            raise
        finally:
            _depth.reset(token)
            told = translate(failure) if failure is not None else None
            seconds = time.perf_counter() - started
            for observer in list(_observers):
                name = function.__name__
                observer(Call(None, name, "facade", args, result, told, seconds, depth, tuple(kwargs.items())))
        return result  # type: ignore[no-any-return]

    return call


class ComObject:
    """The base of every automation object."""

    _members_: ClassVar[dict[str, str]] = {}  # lower-case name -> the name as Microsoft spells it

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._members_ = dict(cls._members_)
        for name, value in list(vars(cls).items()):
            if not is_member_name(name):
                continue
            if isinstance(value, property):
                setattr(cls, name, _wrap_property(cls, name, value))
            elif isinstance(value, FunctionType):
                setattr(cls, name, _wrap(value, name, "call"))
            else:
                continue
            cls._members_[name.lower()] = name

    def _kept(self, attribute: str, default: Any) -> Any:
        """What a property that was made by ``stored`` reads."""
        return self.__dict__.get(attribute, default)

    def __getattr__(self, name: str) -> Any:
        real = type(self)._members_.get(name.lower())
        if real is None or real == name:
            raise UnknownMember(type(self).__name__, name)
        return getattr(self, real)

    def __setattr__(self, name: str, value: Any) -> None:
        if "_" in name:
            object.__setattr__(self, name, value)
            return
        real = type(self)._members_.get(name.lower())
        if real is None or not isinstance(getattr(type(self), real), property):
            raise UnknownMember(type(self).__name__, name)
        object.__setattr__(self, real, value)

    def __dir__(self) -> list[str]:
        return sorted(type(self)._members_.values())


def is_member_name(name: str) -> bool:
    """Whether automation sees a member of this name."""
    return name == "_NewEnum" or "_" not in name


class Slot(Generic[T]):
    """A value that is set once: OLE_E_BLANK before, WIN32_ALREADY_INITIALIZED the second time."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._value: T | None = None

    def get(self) -> T:
        """The value. Raises ComError OLE_E_BLANK where there is none yet."""
        if self._value is None:
            raise ComError(HRESULT.OLE_E_BLANK, f"{self._what} is not initialized; call one of its Initialize methods")
        return self._value

    def set(self, value: T) -> None:
        """Sets the value. Raises ComError WIN32_ALREADY_INITIALIZED where there is one."""
        if self._value is not None:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, f"{self._what} is initialized already")
        self._value = value

    def replace(self, value: T) -> None:
        """Sets the value again: for the few objects that Windows lets be initialized twice."""
        self._value = value

    @property
    def is_set(self) -> bool:
        """Whether there is a value."""
        return self._value is not None


def stored(kind: str, attribute: str, default: Any, doc: str, *, until: str | None = None) -> property:
    """A read-write property that keeps what it is given.

    Args:
        kind: the type of its value, as an annotation names it ("str", "int", "bool", an enumeration, an interface).
        attribute: where the object keeps it (``_silent``).
        default: what it reads before it is set.
        doc: its documentation.
        until: the name of an attribute which, once it is true, makes the property read-only (WIN32_ALREADY_INITIALIZED).
    """

    def read(self: ComObject) -> Any:
        return self._kept(attribute, default)

    def write(self: ComObject, value: Any) -> None:
        if until is not None and self.__dict__.get(until):
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, f"this can no longer be set: {type(self).__name__} is in use")
        self.__dict__[attribute] = value

    read.__annotations__["return"] = kind
    write.__annotations__["value"] = kind
    return property(read, write, doc=doc)


def _wrap_property(cls: type, name: str, value: property) -> property:
    getter = _wrap(value.fget, name, "get") if value.fget is not None else None
    setter = _wrap(value.fset, name, "put") if value.fset is not None else None
    if value.fget is None:  # write-only (IX509PrivateKey.Pin): reading is refused as automation refuses it

        def getter(self: ComObject) -> Any:
            raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, f"{type(self).__name__}.{name} can only be written")

    if value.fset is None:

        def setter(self: ComObject, _value: Any) -> None:
            raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, f"{type(self).__name__}.{name} can only be read")

    return property(getter, setter, doc=value.__doc__)


def _wrap(function: Callable[..., Any], name: str, kind: str) -> Callable[..., Any]:
    binder = functools.cache(lambda: _Binder(function))  # made at the first call: most members see none

    @functools.wraps(function)
    def call(self: ComObject, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter() if _observers else 0.0
        depth = _depth.get()
        token = _depth.set(depth + 1)
        result: Any = None
        failure: ComError | None = None
        try:
            by_name = bool(kwargs)
            arguments = binder()(type(self).__name__, args, kwargs)
            if by_name:
                args = tuple(arguments)  # in their places, for the observers
            result = function(self, *arguments)
            return result
        except ComError as error:
            failure = error
            raise
        except AttributeError as error:
            # A fault of ours. Left as it is, Python would ask __getattr__ and hide it behind an unknown name.
            raise RuntimeError(f"{type(self).__name__}.{name}: {error}") from error
        except BaseException as error:
            failure = translate(error)
            if failure is None:
                raise
            raise failure from error
        finally:
            _depth.reset(token)
            if _observers:
                seconds = time.perf_counter() - started
                for observer in list(_observers):
                    observer(Call(self, name, kind, args, result, failure, seconds, depth))

    return call


class _Binder:
    """Counts, names and converts the arguments of one function as automation does."""

    def __init__(self, function: Callable[..., Any]) -> None:
        import inspect  # which takes longer to load than most scripts to run

        self._function = function
        self._unset = inspect.Parameter.empty
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self._takes_more = bool(parameters) and parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL
        if self._takes_more:  # any number of values, as WScript.Echo takes them
            parameters.pop()
        self._names = [parameter.name for parameter in parameters]
        self._kinds = [_spelled(function.__annotations__.get(name, "object")) for name in self._names]
        self._defaults = [parameter.default for parameter in parameters]

    def __call__(self, owner: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        values = list(args)
        more = values[len(self._names) :]
        if more and not self._takes_more:
            raise self._miscounted(owner, len(values) + len(kwargs))
        del values[len(self._names) :]
        for position in range(len(values), len(self._names)):
            name = self._names[position]
            if name in kwargs:
                values.append(kwargs.pop(name))
            elif self._defaults[position] is not self._unset:
                values.append(self._defaults[position])
            else:
                raise self._miscounted(owner, len(args))
        if kwargs:
            raise BadArgument(HRESULT.DISP_E_BADPARAMCOUNT, f"no argument is named {', '.join(sorted(kwargs))}")
        return [
            *(convert(value, kind, argument=i) for i, (value, kind) in enumerate(zip(values, self._kinds, strict=True))),
            *more,
        ]

    def _miscounted(self, owner: str, given: int) -> BadArgument:
        wanted = len(self._names)
        return BadArgument(
            HRESULT.DISP_E_BADPARAMCOUNT,
            f"{owner}.{self._function.__name__} takes {wanted} argument{'s' * (wanted != 1)} "
            f"({', '.join(self._names) or 'none'}), {given} given",
        )


def _spelled(annotation: object) -> str:
    """An annotation as it is written, also in a module that does not put its annotations off."""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


class ComCollection(ComObject, Generic[T]):
    """Count, ItemByIndex, Add, Remove, Clear and enumeration; also a Python sequence.

    A subclass names the class of its items in ``_item_type_``.
    """

    _item_type_: ClassVar[str] = "ComObject"

    def __init__(self, items: list[T] | None = None) -> None:
        self._items: list[T] = list(items or ())

    def ItemByIndex(self, Index: int) -> T:
        """The item at ``Index``, counted from 0. Raises ComError WIN32_INVALID_INDEX outside the collection."""
        return self._items[self._checked(Index)]

    @property
    def Count(self) -> int:
        """How many items the collection holds."""
        return len(self._items)

    @property
    def _NewEnum(self) -> Iterator[T]:
        """An enumerator over the items."""
        return iter(list(self._items))

    def Add(self, pVal: object) -> None:
        """Appends ``pVal``. Raises ComError DISP_E_TYPEMISMATCH where it is no item of this collection's kind."""
        self._items.append(convert(pVal, self._item_type_, argument=0))

    def Remove(self, Index: int) -> None:
        """Removes the item at ``Index``. Raises ComError WIN32_INVALID_INDEX outside the collection."""
        del self._items[self._checked(Index)]

    def Clear(self) -> None:
        """Removes every item."""
        self._items.clear()

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self._items):
            raise BadArgument(HRESULT.WIN32_INVALID_INDEX, f"index {index} of {len(self._items)} items", argerror=0)
        return index

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._items))

    def __getitem__(self, index: int) -> T:
        try:
            return self._items[index]
        except IndexError:
            raise IndexError(index) from None

    def __call__(self, index: int) -> T:
        """The item at ``index``, as scripts write ``collection(0)``."""
        return self.ItemByIndex(index)
