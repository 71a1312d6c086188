"""What every automation object does, shown on a small one."""

from __future__ import annotations

import pytest

from certenroll.com import Call, ComCollection, ComObject, Slot, is_member_name, observe, stored
from certenroll.enums import EncodingType
from certenroll.errors import BadArgument, ComError, UnknownMember
from certenroll.hresults import HRESULT


class ICounter(ComObject):
    """An object with one of each kind of member."""

    Silent = stored("bool", "_silent", False, "Whether it counts without a word.")

    def __init__(self) -> None:
        self._total = 0
        self._name: Slot[str] = Slot("the counter")

    def Initialize(self, Name: str) -> None:
        """Takes a name."""
        self._name.set(Name)

    def Rename(self, Name: str) -> None:
        """Takes another name."""
        self._name.replace(Name)

    def Add(self, Amount: int, Times: int = 1, Encoding: EncodingType = EncodingType.XCN_CRYPT_STRING_BASE64) -> int:
        """Adds, and gives the total."""
        self._total += Amount * Times
        return self._total

    def AddTwice(self, Amount: int) -> int:
        """Adds through another public call."""
        self.Add(Amount)
        return self.Add(Amount)

    def Fail(self, Kind: str) -> None:
        """Raises an error of a layer below."""
        raise {"file": FileNotFoundError("x"), "fault": ZeroDivisionError("x")}[Kind]

    @property
    def Name(self) -> str:
        """The name."""
        return self._name.get()

    @property
    def Total(self) -> int:
        """The total; writable."""
        return self._total

    @Total.setter
    def Total(self, Value: int) -> None:
        self._total = Value

    def _set_pin(self, Value: str) -> None:
        self._pin = Value

    Pin = property(None, _set_pin, doc="Write-only.")

    def total_value(self) -> int:
        """Python's own name for the total."""
        return self._total


class ICounters(ComCollection[ICounter]):
    """Counters."""

    _item_type_ = "ICounter"


def code_of(caught: pytest.ExceptionInfo[ComError]) -> int:
    return caught.value.hresult & 0xFFFFFFFF


def test_members_are_found_in_any_case() -> None:
    counter = ICounter()
    assert counter.add(2) == counter.ADD(0) == counter.total == counter.TOTAL == 2
    counter.TOTAL = 7
    counter.silent = 1
    assert (counter.Total, counter.Silent) == (7, True)


def test_an_unknown_name_is_refused_on_reading_and_on_writing() -> None:
    counter = ICounter()
    for touch in (lambda: counter.Missing, lambda: setattr(counter, "Missing", 1), lambda: setattr(counter, "Add", 1)):
        with pytest.raises(UnknownMember) as caught:
            touch()
        assert code_of(caught) == HRESULT.DISP_E_UNKNOWNNAME
    assert not hasattr(counter, "Missing")


def test_pythons_own_names_are_no_members() -> None:
    assert all(is_member_name(name) for name in ("Add", "createPKCS10", "_NewEnum"))
    assert not any(is_member_name(name) for name in ("total_value", "_total"))
    assert dir(ICounter()) == ["Add", "AddTwice", "Fail", "Initialize", "Name", "Pin", "Rename", "Silent", "Total"]
    assert ICounter().total_value() == 0
    with pytest.raises(UnknownMember):
        ICounter().Total_Value()


@pytest.mark.parametrize(
    ("arguments", "named", "total"),
    [((2,), {}, 2), (("2", "3"), {}, 6), ((2,), {"Times": 4}, 8), ((), {"Amount": 1, "Times": 2}, 2), ((True,), {}, -1)],
)
def test_arguments_are_counted_named_and_converted(
    arguments: tuple[object, ...], named: dict[str, object], total: int
) -> None:
    assert ICounter().Add(*arguments, **named) == total  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "named", "code", "position"),
    [
        ((), {}, HRESULT.DISP_E_BADPARAMCOUNT, None),
        ((1, 2, 3, 4), {}, HRESULT.DISP_E_BADPARAMCOUNT, None),
        ((1,), {"times": 2}, HRESULT.DISP_E_BADPARAMCOUNT, None),
        ((1,), {"Amount": 2}, HRESULT.DISP_E_BADPARAMCOUNT, None),
        (("x",), {}, HRESULT.DISP_E_TYPEMISMATCH, 0),
        ((1, []), {}, HRESULT.DISP_E_TYPEMISMATCH, 1),
        ((1, 1 << 40), {}, HRESULT.DISP_E_OVERFLOW, 1),
    ],
)
def test_wrong_arguments_change_nothing(
    arguments: tuple[object, ...], named: dict[str, object], code: int, position: int | None
) -> None:
    counter = ICounter()
    with pytest.raises(BadArgument) as caught:
        counter.Add(*arguments, **named)  # type: ignore[arg-type]
    assert (code_of(caught), caught.value.argerror, counter.Total) == (code, position, 0)
    assert isinstance(caught.value, TypeError)


def test_a_wrong_number_of_arguments_is_told_by_the_name_of_the_object_that_was_called() -> None:
    class Special(ICounter):
        """What its user created."""

    with pytest.raises(BadArgument, match=r"Special\.AddTwice takes 1 argument \(Amount\), 2 given"):
        Special().AddTwice(1, 2)  # type: ignore[call-arg]


def test_a_property_converts_what_is_written_to_it() -> None:
    counter = ICounter()
    counter.Total = "12"  # type: ignore[assignment]
    assert counter.Total == 12
    with pytest.raises(BadArgument):
        counter.Total = "many"  # type: ignore[assignment]
    assert counter.Total == 12


def test_read_only_and_write_only_properties_say_what_they_are() -> None:
    counter = ICounter()
    for touch in (lambda: setattr(counter, "Name", "x"), lambda: counter.Pin):
        with pytest.raises(ComError) as caught:
            touch()
        assert code_of(caught) == HRESULT.DISP_E_MEMBERNOTFOUND
    counter.Pin = "1234"
    assert counter._pin == "1234"


def test_a_slot_is_blank_then_set_once_and_may_be_replaced() -> None:
    counter = ICounter()
    with pytest.raises(ComError) as caught:
        _ = counter.Name
    assert code_of(caught) == HRESULT.OLE_E_BLANK
    counter.Initialize("a")
    with pytest.raises(ComError) as caught:
        counter.Initialize("b")
    assert code_of(caught) == HRESULT.WIN32_ALREADY_INITIALIZED
    assert counter.Name == "a"
    counter.Rename("c")
    assert counter.Name == "c"


def test_an_error_of_a_layer_below_becomes_a_com_error_and_a_fault_does_not() -> None:
    with pytest.raises(ComError) as caught:
        ICounter().Fail("file")
    assert code_of(caught) == HRESULT.WIN32_FILE_NOT_FOUND
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert caught.value.excepinfo[5] == caught.value.hresult < 0
    with pytest.raises(ZeroDivisionError):
        ICounter().Fail("fault")


def test_an_observer_sees_public_calls_with_their_depth_and_outcome() -> None:
    calls: list[Call] = []
    counter = ICounter()
    with observe(calls.append):
        counter.AddTwice(2)
        counter.Total = 5
        _ = counter.total
        with pytest.raises(ComError):
            counter.Add("x")  # type: ignore[arg-type]
    counter.Add(1)
    seen = [(call.member, call.kind, call.arguments, call.result, call.depth) for call in calls]
    assert seen == [
        ("Add", "call", (2,), 2, 1),
        ("Add", "call", (2,), 4, 1),
        ("AddTwice", "call", (2,), 4, 0),
        ("Total", "put", (5,), None, 0),
        ("Total", "get", (), 5, 0),
        ("Add", "call", ("x",), None, 0),
    ]
    assert calls[-1].error is not None
    assert all(call.seconds >= 0 and call.target is counter for call in calls)


def test_a_collection_is_automations_and_pythons() -> None:
    first, second = ICounter(), ICounter()
    counters = ICounters([first])
    counters.Add(second)
    assert (counters.Count, len(counters)) == (2, 2)
    assert counters.ItemByIndex("1") is counters[1] is counters(1) is counters[-1] is second  # type: ignore[arg-type]
    assert list(counters) == list(counters._NewEnum) == [first, second]
    counters.Remove(0)
    assert list(counters) == [second]
    counters.clear()
    assert counters.Count == 0


def test_a_collection_refuses_what_is_outside_it() -> None:
    counters = ICounters([ICounter()])
    for index in (-1, 1):
        for touch in (counters.ItemByIndex, counters.Remove):
            with pytest.raises(BadArgument) as caught:
                touch(index)
            assert code_of(caught) == HRESULT.WIN32_INVALID_INDEX
    for item, code in ((None, HRESULT.E_POINTER), ("x", HRESULT.DISP_E_TYPEMISMATCH)):
        with pytest.raises(BadArgument) as caught:
            counters.Add(item)
        assert code_of(caught) == code
    with pytest.raises(IndexError):
        _ = counters[1]
    assert counters.Count == 1


def test_a_loop_over_a_collection_does_not_mind_changes() -> None:
    counters = ICounters([ICounter(), ICounter()])
    for _ in counters:
        counters.Add(ICounter())
    assert counters.Count == 4


def test_annotations_that_are_not_put_off_are_understood_too() -> None:
    def Take(self: ComObject, Amount: object) -> object:
        return Amount

    Take.__annotations__ = {"Amount": int}
    taker = type("ITaker", (ComObject,), {"Take": Take})()
    assert taker.Take("3") == 3
