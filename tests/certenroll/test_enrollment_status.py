"""IX509EnrollmentStatus: status, error and text."""

from __future__ import annotations

from typing import Any

import pytest

import certenroll
from certenroll.enums import EnrollmentEnrollStatus
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from tests.support.enrolling import new_enrollment, refused


@pytest.fixture
def status(home: object) -> Any:
    return new_enrollment().Status


def test_the_defaults(status: Any) -> None:
    assert (status.Status, status.Error, status.ErrorText, status.Text) == (EnrollmentEnrollStatus.EnrollUnknown, 0, "", "")
    assert (status.Selected, status.Display) == (0, 0)


@pytest.mark.parametrize("value", EnrollmentEnrollStatus)
def test_every_status_can_be_set(status: Any, value: EnrollmentEnrollStatus) -> None:
    status.Status = int(value)
    assert status.Status is value


def test_text_is_set_and_added_to(status: Any) -> None:
    status.Text = "Waiting"
    status.AppendText(" for approval")
    assert status.Text == "Waiting for approval"


@pytest.mark.parametrize("given", [0x80094014, -2146877420, "-2146877420"])
def test_an_error_reads_as_a_signed_number_and_explains_itself(status: Any, given: Any) -> None:
    status.Error = given
    assert status.Error == -2146877420
    assert status.ErrorText.endswith("0x80094014 (-2146877420)")
    assert len(status.ErrorText) > 30


def test_an_error_without_a_name_is_told_all_the_same(status: Any) -> None:
    status.Error = 0x81234567
    assert status.ErrorText == "Unknown error 0x81234567 (-2128394905)"


@pytest.mark.parametrize("member", ["Selected", "Display"])
def test_what_a_wizard_shows_is_kept_and_changes_nothing(status: Any, member: str) -> None:
    setattr(status, member, 1)
    assert getattr(status, member) == 1
    assert status.Status == EnrollmentEnrollStatus.EnrollUnknown


@pytest.mark.parametrize(("member", "value"), [("Status", 3), ("Selected", 2), ("Display", 2)])
def test_a_value_that_there_is_not_is_refused(status: Any, member: str, value: int) -> None:
    assert refused(setattr, status, member, value) == HRESULT.E_INVALIDARG


def test_error_text_is_read_only(status: Any) -> None:
    assert refused(setattr, status, "ErrorText", "x") == HRESULT.DISP_E_MEMBERNOTFOUND


def test_a_failure_sets_all_three(status: Any) -> None:
    status.report_failure(ComError(HRESULT.NTE_EXISTS, "the container is there"))
    assert (status.Status, status.Text) == (EnrollmentEnrollStatus.EnrollError, "the container is there")
    assert status.Error & 0xFFFFFFFF == HRESULT.NTE_EXISTS


def test_the_enrollment_gives_the_same_object_each_time(home: object) -> None:
    enrollment = new_enrollment()
    enrollment.Status.Text = "x"
    assert enrollment.Status.Text == "x"
    assert certenroll.CX509Enrollment is type(enrollment)
