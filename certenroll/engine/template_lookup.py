"""What the directory of an enrollment context says of a template that is only named. Knows no objects of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certenroll.engine.opening import open_workspace

if TYPE_CHECKING:
    from certenroll.ca.policies.template_facts import TemplateFacts
    from certenroll.enums import X509CertificateEnrollmentContext


def directory_facts(context: X509CertificateEnrollmentContext, name: str) -> TemplateFacts | None:
    """The template of that name or object identifier; None where the directory knows none, or none is named."""
    from certenroll.ca.policies.sources import directory_template

    return directory_template(open_workspace(context).profile, name) if name else None
