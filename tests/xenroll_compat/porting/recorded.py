"""A script's calls recorded and made a port of, for the tests of ports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from certenroll import com
from certenroll.errors import ComError
from xenroll_compat import Dispatch
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.porting.model import Port
from xenroll_compat.porting.recorded_run import RecordedRun
from xenroll_compat.porting.recording import Recorder

Script = Callable[[], object]


def run_of(script: Script, settings: RunSettings | None = None, secrets: tuple[str, ...] = ()) -> RecordedRun:
    """What a function calls, recorded as a script's run is."""
    recorder = Recorder()
    with com.observe(recorder):
        script()
    return RecordedRun(Path("script.vbs"), recorder.entries, settings or RunSettings(), secrets, 0)


def port_of(script: Script, settings: RunSettings | None = None, secrets: tuple[str, ...] = ()) -> Port:
    """The port of a function."""
    return run_of(script, settings, secrets).port()[0]


def control() -> Any:
    """A new control that asks for keys in software."""
    made = Dispatch("CEnroll.CEnroll.2")
    made.KeyLocation = 3
    return made


def legacy_script() -> None:
    """What a page of 2003 does: a loop over providers, settings, a container that is there already, a request for each."""
    enroll = control()
    for index in range(3):
        enroll.enumProviders(index, 0)
    enroll.GenKeyFlags = 0x08000001
    enroll.KeySpec = "1"
    enroll.HashAlgorithm = "SHA256"
    enroll.ContainerName = "archive"
    enroll.addExtensionToRequest(1, "1.2.3.4", "BAUBAgMEBQ==")
    enroll.createPKCS10('CN="Alice";O=Ex\u00e4mple', "1.3.6.1.5.5.7.3.2")
    try:
        enroll.createPKCS10("CN=Alice", "")
    except ComError:
        enroll.UseExistingKeySet = True
        enroll.createRequest(1, "CN=Alice", "")
    enroll.SPCFileName = "answer.spc"


def certenroll_script() -> str:
    """What a script of 2008 does, through CertEnroll's own objects."""
    key = Dispatch("X509Enrollment.CX509PrivateKey")
    key.Length = 2048
    key.ExportPolicy = 1
    key.Create()
    request = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    request.InitializeFromPrivateKey(1, key, "")
    name = Dispatch("X509Enrollment.CX500DistinguishedName")
    name.Encode("CN=Bob")
    request.Subject = name
    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(request)
    text: str = enrollment.CreateRequest(1)
    return text
