"""opencryptoki's software token, which blocks its PIN after three wrong ones, in a world of its own.

The daemon, the shared memory and the token's files live in private mounts (``unshare``) that end with the program run
there, so the machine's own opencryptoki is neither used nor touched. That needs root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.requires import missing, program

LABEL = "opencryptoki soft token"
PIN = "23456781"
_LIBRARIES = ("opencryptoki/libopencryptoki.so.0", "opencryptoki/libopencryptoki.so", "pkcs11/libopencryptoki.so")
_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
_SCRIPT = r"""
set -e
for folder in /var/lib/opencryptoki /dev/shm /run; do mount -t tmpfs tmpfs $folder; done
for token in swtok tpm ccatok ep11tok icsf lite; do
    mkdir -p /var/lib/opencryptoki/$token/TOK_OBJ /run/lock/opencryptoki/$token
done
chgrp -R pkcs11 /var/lib/opencryptoki /run/lock/opencryptoki
chmod -R 770 /var/lib/opencryptoki /run/lock/opencryptoki
pkcsslotd -f >/dev/null 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon || true' EXIT
for attempt in $(seq 100); do pkcsconf -s >/dev/null 2>&1 && break; sleep 0.05; done
slot=$(pkcsconf -t | sed -n 's/^Token #\([0-9]*\) Info.*/\1/p' | head -n 1)
{
    printf '87654321\nopencryptoki soft token\n' | pkcsconf -I -c "$slot"
    printf '87654321\n76543210\n76543210\n' | pkcsconf -P -c "$slot"
    printf '76543210\n12345678\n12345678\n' | pkcsconf -u -c "$slot"
    printf '12345678\n23456781\n23456781\n' | pkcsconf -p -c "$slot"
} >/dev/null
"$@"
"""


def run_there(code: str, folder: Path) -> str:
    """Runs Python code beside a fresh opencryptoki token and gives what it prints.

    Args:
        code: the program; XENROLL_PKCS11_MODULE and XENROLL_PKCS11_TOKEN lead it to the token, whose PIN is ``PIN``.
        folder: where its lock files go (its XDG_RUNTIME_DIR).
    """
    library = next((path for name in _LIBRARIES for root in _FOLDERS if (path := Path(root, name)).exists()), None)
    if library is None or shutil.which("pkcsslotd") is None:
        missing("opencryptoki", "opencryptoki")
    unshare = program("unshare", "opencryptoki")
    trial = subprocess.run([unshare, "--mount", "--ipc", "true"], capture_output=True, check=False)
    if os.geteuid() != 0 or trial.returncode:
        missing("opencryptoki", "the right to make private mounts (root)")
    environment = {
        **os.environ,
        "XENROLL_PKCS11_MODULE": str(library), "XENROLL_PKCS11_TOKEN": f"pkcs11:token={LABEL.replace(' ', '%20')}",
        "XDG_RUNTIME_DIR": str(folder), "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
    }
    done = subprocess.run(
        [unshare, "--mount", "--ipc", "sh", "-c", _SCRIPT, "sh", sys.executable, "-W", "error", "-c", code],
        env=environment, capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
