"""``python -m tests.public_scripts FOLDER [--json] [--only TEXT] [--keep DIR]`` runs scripts and tells how each ended.

Knows the command line alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.public_scripts.finding import NotRun, Script, find
from tests.public_scripts.given import read_given
from tests.public_scripts.judging import Verdict, judge, not_run
from tests.public_scripts.trial import outcomes, prepare


def verdicts(folder: Path, work: Path, only: str = "") -> Iterator[Verdict]:
    """The verdict of each script of a folder.

    Args:
        folder: the scripts, in a folder for each project, with ``public-scripts.toml`` where something is given.
        work: an empty folder for the runs.
        only: what a script's name must have in it.

    Raises:
        OSError: a file cannot be read.
        ValueError: ``public-scripts.toml`` says what nobody knows.
    """
    laboratory = prepare(work)
    found = [one for one in find(folder, read_given(folder), laboratory.answer) if only in one.name]

    def verdict(number: int, one: Script | NotRun) -> Verdict:
        if isinstance(one, NotRun):
            return not_run(one)
        return judge(one, list(outcomes(one, laboratory, number)))

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(verdict, range(len(found)), found)


def main() -> int:
    """Reads the command line; 0 where every script that was run came to a right end."""
    parser = argparse.ArgumentParser(prog="python -m tests.public_scripts", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="the verdicts as JSON")
    parser.add_argument("--only", default="", metavar="TEXT", help="only scripts with TEXT in their names")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="do the runs in DIR, and leave what they wrote there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        found = list(verdicts(arguments.folder, work.resolve(), arguments.only))
    sys.stdout.write(json.dumps([asdict(one) for one in found], indent=1) + "\n" if arguments.json else _table(found))
    return int(any(one.end == "no right end" for one in found))


def _table(found: list[Verdict]) -> str:
    lines = []
    for one in found:
        counted = f" ({one.runs} runs, {one.requests} requests, {one.answers} answers)" if one.runs else ""
        lines.append(f"{one.end:13} {one.name}{counted}{f': {one.reason}' if one.reason else ''}")
        lines += [f"{'':14}{note}" for note in one.notes]
    totals = Counter(one.end for one in found)
    return "\n".join([*lines, "", ", ".join(f"{count} {end}" for end, count in totals.most_common()), ""])


if __name__ == "__main__":
    sys.exit(main())
