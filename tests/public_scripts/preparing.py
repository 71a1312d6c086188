"""Makes the profile that XENROLL_HOME names: a CA that it trusts, and a request to it. Prints the CA's answer as base64.

The machine's profile in it has a CA too.
"""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

from tests.support.ca import sign_by_hand
from tests.support.profiles import make_ca
from xenroll_compat import Dispatch


def main() -> int:
    """Does it; gives the exit code."""
    home = Path(os.environ["XENROLL_HOME"])
    os.environ["XENROLL_HOME"] = str(home / "machine")
    make_ca()
    os.environ["XENROLL_HOME"] = str(home)
    authority = make_ca()
    text = Dispatch("CEnroll.CEnroll").createPKCS10("CN=Waiting", "1.3.6.1.5.5.7.3.2")
    sys.stdout.write(base64.b64encode(sign_by_hand(authority, base64.b64decode(text))).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
