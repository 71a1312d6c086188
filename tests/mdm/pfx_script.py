"""What a management session does, as a process of its own.

    python -m tests.mdm.pfx_script install PFX LOCATION INSTANCE
    python -m tests.mdm.pfx_script replace PFX LOCATION INSTANCE
    python -m tests.mdm.pfx_script delete PFX LOCATION INSTANCE

Ends with 0 where every command was carried out, else with 1.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from tests.mdm.pfx_bundles import adds, atomic, change, codes


def install(blob: bytes, location: int, instance: str) -> list[int]:
    """An Atomic that installs the PFX."""
    return codes(atomic(*adds(blob, location, instance, ContainerName="web")))


def replace(blob: bytes, location: int, instance: str) -> list[int]:
    """A Replace of the blob alone."""
    return codes(change("Replace", "PFXCertBlob", base64.b64encode(blob).decode(), instance))


def delete(blob: bytes, location: int, instance: str) -> list[int]:
    """A Delete of the instance."""
    return codes(change("Delete", "", None, instance))


STEPS = {"install": install, "replace": replace, "delete": delete}


def main(step: str, file: str, location: str, instance: str) -> int:
    """Takes a step and says how it went."""
    return int(set(STEPS[step](Path(file).read_bytes(), int(location), instance)) != {200})


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
