"""xenroll run: a script of pywin32's kind sees what it would see under Python on Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from certenroll.errors import ComError
from tests.support.cli import Cli
from xenroll_compat.hosts import pywin32
from xenroll_compat.hosts.python import run_script


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home", tmp_path)


def write(xenroll: Cli, text: str) -> str:
    (xenroll.folder / "script.py").write_text(text)
    return "script.py"


def test_a_script_sees_what_python_would_show_it(xenroll: Cli) -> None:
    (xenroll.folder / "neighbour.py").write_text("value = 'beside it'\n")
    shown = "__name__, __file__, sys.argv, neighbour.value, __main__.__dict__ is globals()"
    text = f"import sys, __main__, neighbour\nprint({shown})\n"
    script = write(xenroll, text)
    plain = subprocess.run(
        [sys.executable, script, "--json", "-x", "a b"], cwd=xenroll.folder, capture_output=True, text=True, check=True
    )
    assert xenroll("run", script, "--json", "-x", "a b").stdout == plain.stdout


@pytest.mark.parametrize(("ending", "code"), [("sys.exit(7)", 7), ("sys.exit()", 0), ("sys.exit('no')", 1), ("pass", 0)])
def test_the_exit_code_is_the_script_s_own(xenroll: Cli, ending: str, code: int) -> None:
    xenroll("run", write(xenroll, f"import sys\n{ending}\n"), code=code)


def test_a_mistake_is_shown_with_the_script_s_own_lines(xenroll: Cli) -> None:
    script = write(xenroll, "def work():\n    return 1 / 0\n\nwork()\n")
    told = xenroll("run", script, code=1).stderr
    plain = subprocess.run([sys.executable, script], cwd=xenroll.folder, capture_output=True, text=True, check=False)
    assert told == plain.stderr


def test_a_com_error_ends_in_the_line_that_made_the_call(xenroll: Cli) -> None:
    text = "import win32com.client\nwin32com.client.Dispatch('X509Enrollment.CX509Enrollment').Enroll()\n"
    told = xenroll("run", write(xenroll, text), code=1).stderr
    assert told.splitlines()[1].strip() == f'File "{xenroll.folder}/script.py", line 2, in <module>'
    assert told.splitlines()[-1].startswith("pywintypes.com_error: 0x80040007 OLE_E_BLANK")
    assert "com.py" not in told


@pytest.mark.parametrize("text", ["def work(:\n", "print('a'\n", "x = 1\n  y = 2\n", "\0"])
def test_a_script_that_is_no_python_is_told_as_python_tells_it(xenroll: Cli, text: str) -> None:
    told = xenroll("run", write(xenroll, text), code=1).stderr
    assert "Error" in told
    assert "xenroll_compat" not in told


def test_com_error_has_pywin32_s_four_parts(xenroll: Cli) -> None:
    text = (
        "import pywintypes, pythoncom, winerror, win32com.client\n"
        "try:\n"
        "    win32com.client.Dispatch('No.Such.Class')\n"
        "except pythoncom.com_error as error:\n"
        "    hresult, strerror, excepinfo, argerror = error.args\n"
        "    print(hresult == winerror.CO_E_CLASSSTRING == -2147221005, strerror, excepinfo[5] == hresult, argerror)\n"
        "    print(pywintypes.com_error is pythoncom.com_error)\n"
    )
    assert xenroll("run", write(xenroll, text)).stdout == "True Invalid class string True None\nTrue\n"


def test_objects_are_made_by_every_way_that_scripts_use(xenroll: Cli) -> None:
    text = (
        "import pythoncom\n"
        "from win32com.client import Dispatch, DispatchEx, GetObject, CastTo, constants, gencache\n"
        "import win32com.client.gencache\n"
        "pythoncom.CoInitializeEx(pythoncom.COINIT_APARTMENTTHREADED)\n"
        "made = [Dispatch('x509enrollment.cobjectid.1'), DispatchEx('X509Enrollment.CObjectId'),\n"
        "        gencache.EnsureDispatch('X509Enrollment.CObjectId'), Dispatch('{884e2000-217d-11da-b2a4-000e7bbb2b09}'),\n"
        "        GetObject('new:884e2000-217d-11da-b2a4-000e7bbb2b09')]\n"
        "print({type(CastTo(one, 'IObjectId')).__name__ for one in made})\n"
        "print(constants.XCN_CRYPT_STRING_BASE64, constants.ContextMachine, constants.CR_IN_CMC)\n"
        "print(hasattr(constants, 'NoSuch'))\n"
        "pythoncom.CoUninitialize()\n"
    )
    assert xenroll("run", write(xenroll, text)).stdout == "{'IObjectId'}\n1 2 1024\nFalse\n"


def test_the_control_of_xenroll_is_made_too(xenroll: Cli) -> None:
    text = "import win32com.client\nprint(win32com.client.Dispatch('cenroll.cenroll').MyStoreName)\n"
    assert xenroll("run", write(xenroll, text)).stdout == "MY\n"


def test_a_running_object_is_not_to_be_had() -> None:
    with pytest.raises(ComError) as caught:
        pywin32.get_object("winmgmts:")
    assert caught.value.hresult & 0xFFFFFFFF == 0x800401E3


def test_the_process_is_as_it_was_after_a_script(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys, win32com.client, pywintypes\nassert sys.argv[1:] == ['x']\n")
    before = (sys.argv, sys.path[:], sys.modules["__main__"])
    assert run_script(script, ["x"]) == 0
    assert before == (sys.argv, sys.path[:], sys.modules["__main__"])
    assert not {"win32com", "pywintypes", "pythoncom", "win32com.client.gencache"} & set(sys.modules)
