"""What holds for every file of the project: its size, its manners, what it speaks of, and what a wheel of it contains."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import certenroll
from certenroll import enums, registry
from certenroll import errors as com_errors
from certenroll.engine.installation import InstallOptions
from certenroll.stores import errors as store_errors
from keystores import errors as key_errors
from keystores.base import Secret

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("keystores", "certenroll", "xenroll_compat")
LONGEST_FILE, LONGEST_TEST_FILE, LONGEST_FUNCTION = 400, 500, 60  # lines
TABLES = {"certenroll/enums.py", "certenroll/hresults.py", "certenroll/oid_table.py"}  # one line a constant of Microsoft's
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error\()")
ELSEWHERE = re.compile(r"(?<![\w.~}])/(?:wo" r"rk|ro" r"ot|home/\w+|tmp/\w+)/|\bsub" r"agents?\b")  # one machine's paths


def tracked() -> list[str]:
    """The project's files, as git has them; without git (an unpacked archive), all that is no work of a tool."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        return sorted(name for name in listed if (ROOT / name).is_file())
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not any(part.startswith(".") or "egg-info" in part for part in path.parts))


FILES = tracked()
PYTHON = [name for name in FILES if name.endswith(".py")]
SOURCE = [name for name in PYTHON if name.split("/")[0] in PACKAGES]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def modules() -> Iterator[ModuleType]:
    """Every module of the three packages whose imports are installed here."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            try:
                yield importlib.import_module(found.name)
            except ModuleNotFoundError as error:
                if error.name is None or error.name.split(".")[0] in PACKAGES:
                    raise


@pytest.mark.parametrize("name", FILES)
def test_a_file_speaks_of_the_project_alone(name: str) -> None:
    assert not ELSEWHERE.findall((ROOT / name).read_bytes().decode("utf-8", "replace"))


@pytest.mark.parametrize("name", PYTHON)
def test_a_module_says_what_it_is_and_is_of_a_size_to_be_read(name: str) -> None:
    text = text_of(name)
    lines = len(text.splitlines())
    bound = LONGEST_TEST_FILE if name.startswith("tests/") else LONGEST_FILE
    assert lines <= bound or name in TABLES
    described = ast.get_docstring(ast.parse(text)) or (name.startswith("examples/") and text.startswith("# "))
    assert not lines or described, "a module opens with a docstring, a script of the examples with a comment"


@pytest.mark.parametrize("name", PYTHON)
def test_a_function_fits_a_screen(name: str) -> None:
    functions = [node for node in ast.walk(ast.parse(text_of(name))) if isinstance(node, ast.FunctionDef)]
    assert [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno >= LONGEST_FUNCTION] == []


@pytest.mark.parametrize("name", PYTHON)
def test_nothing_is_left_undone(name: str) -> None:
    assert not UNFINISHED.findall(text_of(name))


@pytest.mark.parametrize("name", SOURCE)
def test_nothing_is_caught_that_is_not_understood(name: str) -> None:
    """Whoever catches everything cleans up and raises again, or says on that line why not."""
    lines = text_of(name).splitlines()
    for node in (found for found in ast.walk(ast.parse(text_of(name))) if isinstance(found, ast.ExceptHandler)):
        caught = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type is not None else {"Exception"}
        assert "Exception" not in caught, f"line {node.lineno}"
        raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        reasoned = re.search(r"# noqa: BLE001  \w", lines[node.lineno - 1])
        assert "BaseException" not in caught or raises or reasoned, f"line {node.lineno}"


@pytest.mark.parametrize("name", [name for name in FILES if re.match(r"scripts/|\.ci/", name)])
def test_a_script_can_be_run_and_stops_at_the_first_error(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111 == 0o111
    assert text_of(name).startswith("#!/usr/bin/env bash\n#")
    assert "set -euo pipefail" in text_of(name)


def drawn(module: ModuleType) -> dict[str, str]:
    """Class -> the class above it, as the tree at the head of a module draws them."""
    tree: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (module.__doc__ or "").splitlines():
        names = [part for part in re.split(r"\s{2,}", line.strip()) if isinstance(getattr(module, part, None), type)]
        names = names or [word for word in line.split()[:1] if isinstance(getattr(module, word, None), type)]
        if not names or not line.startswith("    "):
            continue
        depth = len(line) - len(line.lstrip())
        above = [(d, n) for d, n in above if d < depth]
        tree |= dict.fromkeys(names, above[-1][1] if above else "")
        above.append((depth, names[0]))
    return tree


@pytest.mark.parametrize("module", [key_errors, store_errors, com_errors], ids=lambda m: m.__name__)
def test_the_tree_of_errors_at_the_head_of_a_module_is_the_tree_in_the_code(module: ModuleType) -> None:
    classes = {n: c for n, c in vars(module).items() if isinstance(c, type) and issubclass(c, Exception)}
    own = {name: found for name, found in classes.items() if found.__module__ == module.__name__}
    above = {name: found.__bases__[0].__name__ for name, found in own.items()}
    actual = {name: base if base in own else "" for name, base in above.items()}
    assert drawn(module) == actual


def test_every_name_that_the_package_offers_resolves() -> None:
    interfaces = [name for names in registry.INTERFACES.values() for name in names.split()]
    enumerations = [name for name, found in vars(enums).items() if getattr(found, "__module__", "") == enums.__name__]
    names = [*interfaces, *registry.COCLASSES, *enumerations, "ComError", "CERTENROLL_OBJECTID", "Dispatch"]
    assert len(names) > 150
    assert [name for name in names if getattr(certenroll, name, None) is None] == []


def test_no_class_that_carries_a_secret_shows_it() -> None:
    """A dataclass holds a PIN or a password as a Secret, whose repr is blank, or leaves the field out of its own."""
    shown = [
        f"{found.__module__}.{found.__name__}.{field.name}"
        for module in modules()
        for found in vars(module).values()
        if dataclasses.is_dataclass(found) and isinstance(found, type)
        for field in dataclasses.fields(found)
        if re.search(r"(^|_)(pin|password|passphrase|secret|private_key|challenge)$", field.name)
        and field.repr and not re.search(r"\b(Secret|PinSource|PrivateKey|bool)\b", str(field.type))
    ]
    assert shown == []
    pin = Secret("8pa7-mellon")
    for text in (repr(pin), str(pin), f"{pin}", f"{[pin]}", repr(InstallOptions(pin=pin)), repr({"pin": pin})):
        assert "mellon" not in text


def test_a_wheel_holds_every_module_and_says_that_it_is_typed(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in (name for name in FILES if name.split("/")[0] in (*PACKAGES, "pyproject.toml", "setup.cfg", "README.md")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "No matching distribution found for setuptools" in done.stdout + done.stderr:
        pytest.skip("no package index is in reach, and building needs setuptools from there")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in FILES if name.split("/")[0] in PACKAGES} <= held
    assert {f"{package}/py.typed" for package in PACKAGES} <= held
    assert not [name for name in held if name.startswith(("tests/", "examples/", "benchmarks/"))]


@pytest.mark.parametrize("folder", ["asn1", "ca", "engine", "mdm", "stores"])
def test_the_architecture_names_every_module_of_a_folder(folder: str) -> None:
    said = Path("docs/architecture.md").read_text(encoding="utf-8")
    modules = {path.name for path in Path("certenroll", folder).rglob("*.py")} - {"__init__.py"}
    assert {name for name in modules if f"`{name}`" not in said} == set()
