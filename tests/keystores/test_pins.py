"""Where PINs come from, and where none of them shows."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from keystores.base import Secret
from keystores.errors import PinRequired, PinUnreadable
from keystores.pins import (
    CallbackPin,
    EnvironmentPin,
    FilePin,
    PinSource,
    ValuePin,
    first_of,
    from_environment,
    require,
)

PIN = "geheim-4711"


def pin_file(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "pin"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def test_a_value_is_the_pin_for_every_purpose() -> None:
    assert ValuePin(Secret(PIN))("token A") == Secret(PIN)


def test_the_environment_is_read_each_time() -> None:
    environ = {"XENROLL_PIN": "1"}
    source = EnvironmentPin(environ=environ)
    assert source("") == Secret("1")
    environ["XENROLL_PIN"] = "2"
    assert source("") == Secret("2")
    del environ["XENROLL_PIN"]
    assert source("") is None


@pytest.mark.parametrize("text", [PIN, PIN + "\n", PIN + "\r\n", PIN + "\nsecond line\n"])
def test_a_file_gives_its_first_line(tmp_path: Path, text: str) -> None:
    assert FilePin(pin_file(tmp_path, text))("") == Secret(PIN)


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file_gives_no_pin(tmp_path: Path, text: str) -> None:
    assert FilePin(pin_file(tmp_path, text))("") is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610, 0o601])
def test_a_file_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(PinUnreadable, match="chmod 600") as caught:
        FilePin(pin_file(tmp_path, PIN, mode))("")
    assert PIN not in str(caught.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PinUnreadable, match="No such file"):
        FilePin(tmp_path / "missing")("")


def test_a_folder_and_a_fifo_are_no_pin_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(PinUnreadable, match="not a regular file"):
            FilePin(path)("")


@pytest.mark.parametrize("text", [b"\xff\xfe geheim-4711", PIN.encode() * 1000])
def test_a_file_that_holds_no_line_of_text_is_refused_without_showing_it(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(PinUnreadable) as caught:
        FilePin(pin_file(tmp_path, text))("")
    assert PIN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None


def test_a_callback_is_told_what_the_pin_is_for() -> None:
    asked: list[str] = []

    def ask(purpose: str) -> Secret | None:
        asked.append(purpose)
        return Secret(PIN)

    assert CallbackPin(ask)("token A, container web") == Secret(PIN)
    assert asked == ["token A, container web"]


def test_the_first_source_that_has_a_pin_answers() -> None:
    none = CallbackPin(lambda purpose: None)
    assert first_of(None, none, ValuePin(Secret("1")), ValuePin(Secret("2")))("") == Secret("1")
    assert first_of(none, None)("") is None
    assert first_of()("") is None


def test_a_source_that_cannot_be_used_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(PinUnreadable):
        first_of(FilePin(tmp_path / "missing"), ValuePin(Secret("1")))("")


def test_the_environment_s_pin_comes_before_its_file(tmp_path: Path) -> None:
    path = pin_file(tmp_path, "from file")
    assert from_environment({"XENROLL_PIN": "value", "XENROLL_PIN_FILE": str(path)})("") == Secret("value")
    assert from_environment({"XENROLL_PIN_FILE": str(path)})("") == Secret("from file")
    assert from_environment({})("") is None


def test_a_pin_that_is_needed_and_missing_is_an_error_that_says_how_to_give_it() -> None:
    with pytest.raises(PinRequired, match="XENROLL_PIN_FILE") as caught:
        require(from_environment({}), "token A", store="smartcard")
    assert caught.value.hresult == 0x80090022
    assert require(ValuePin(Secret(PIN)), "token A", store="smartcard") == Secret(PIN)


def test_no_source_shows_its_pin(tmp_path: Path) -> None:
    sources: list[PinSource] = [
        ValuePin(Secret(PIN)),
        EnvironmentPin(environ={"XENROLL_PIN": PIN}),
        FilePin(pin_file(tmp_path, PIN)),
        CallbackPin(lambda purpose: Secret(PIN)),
        from_environment({"XENROLL_PIN": PIN}),
    ]
    for source in sources:
        assert source("") == Secret(PIN)
        assert PIN not in f"{source!r} {source} {source('')!r} {source('')}"
