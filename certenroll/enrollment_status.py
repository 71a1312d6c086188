"""IX509EnrollmentStatus: what an enrollment has to say of itself.

Knows no requests and no CAs; IX509Enrollment writes it. Source: the nf-certenroll-ix509enrollmentstatus-* pages.
"""

from __future__ import annotations

from certenroll.com import ComObject, stored
from certenroll.enums import EnrollmentDisplayStatus, EnrollmentEnrollStatus, EnrollmentSelectionStatus
from certenroll.errors import ComError
from certenroll.hresults import lookup, signed


class IX509EnrollmentStatus(ComObject):
    """Status, error and text of an enrollment; ``Selected`` and ``Display`` are for wizards and change nothing."""

    def __init__(self) -> None:
        self._text = ""
        self._error = 0

    Text = stored("str", "_text", "", "The text that describes the status.")
    Selected = stored(
        "EnrollmentSelectionStatus", "_selected", EnrollmentSelectionStatus.SelectedNo, "Whether a wizard selected it."
    )
    Display = stored(
        "EnrollmentDisplayStatus", "_display", EnrollmentDisplayStatus.DisplayNo, "Whether a wizard shows the item."
    )
    Status = stored(
        "EnrollmentEnrollStatus", "_status", EnrollmentEnrollStatus.EnrollUnknown, "How far the enrollment has come."
    )

    def AppendText(self, strText: str) -> None:
        """Adds ``strText`` to the end of Text."""
        self._text += strText

    @property
    def Error(self) -> int:
        """The result code of the last step, signed; 0 where it went well."""
        return self._error

    @Error.setter
    def Error(self, Value: int) -> None:
        self._error = signed(Value)

    @property
    def ErrorText(self) -> str:
        """The sentence of Error, with its number; empty where there is no error."""
        if self._error == 0:
            return ""
        named = lookup(self._error)
        sentence = named.text if named is not None else "Unknown error"
        return f"{sentence} 0x{self._error & 0xFFFFFFFF:08x} ({self._error})"

    def report_status(self, status: EnrollmentEnrollStatus, error: int = 0, text: str = "") -> None:
        """Sets status, error and text in one step."""
        self._status = status
        self._error = signed(error)
        self._text = text

    def report_failure(self, error: ComError) -> None:
        """Records ``error`` as the outcome."""
        self.report_status(EnrollmentEnrollStatus.EnrollError, error.hresult, error.detail or error.strerror)
