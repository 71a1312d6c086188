"""The table of what InstallResponse refuses: by itself, and as the documentation shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from certenroll.engine.restrictions import RESTRICTIONS, UNREADABLE, Finding, markdown, refusals

DOCUMENT = Path(__file__).parents[2] / "docs" / "install-response.md"

# The values of the flags that let each finding pass.
ALLOWED = {
    Finding.NO_REQUEST: {1, 3, 5, 7},
    Finding.NO_KEY: set(),
    Finding.BAD_SIGNATURE: set(),
    Finding.INVALID_CHAIN: set(),
    Finding.UNTRUSTED_ROOT: {4, 5, 6, 7},
    Finding.SELF_SIGNED: {2, 3, 4, 5, 6, 7},
    Finding.INCOMPLETE_CHAIN: {2, 3, 4, 5, 6, 7},
    Finding.EXPIRED: {2, 3, 4, 5, 6, 7},
    Finding.NOT_CHECKED: {2, 3, 4, 5, 6, 7},
}


def test_every_finding_has_one_row() -> None:
    assert sorted(row.finding.name for row in RESTRICTIONS) == sorted(finding.name for finding in Finding)


@pytest.mark.parametrize("finding", Finding, ids=lambda finding: finding.name)
@pytest.mark.parametrize("flags", range(8))
def test_a_finding_is_refused_unless_a_flag_allows_it(finding: Finding, flags: int) -> None:
    assert bool(refusals([finding], flags)) == (flags not in ALLOWED[finding])


def test_what_is_not_allowed_is_refused_beside_what_is() -> None:
    rows = refusals([Finding.NO_REQUEST, Finding.UNTRUSTED_ROOT, Finding.NO_KEY], 1)
    assert [row.finding for row in rows] == [Finding.UNTRUSTED_ROOT, Finding.NO_KEY]


def test_nothing_wrong_is_never_refused() -> None:
    assert all(refusals([], flags) == [] for flags in range(8))


def test_the_documentation_shows_this_table() -> None:
    assert markdown() in DOCUMENT.read_text(encoding="utf-8")


def test_every_row_of_the_table_has_eight_cells() -> None:
    rows = markdown().splitlines()
    assert len(rows) == 2 + 1 + len(RESTRICTIONS) + len(UNREADABLE)
    assert all(row.count(" installed") + row.count(" refused") >= 8 for row in rows[2:])
