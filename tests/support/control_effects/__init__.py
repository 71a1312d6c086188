"""What each member of the control does, shown on a bench: member -> the function that shows it, or fails."""

from __future__ import annotations

from typing import Final

from tests.support.control_effects import certificates, exports, keys, parts, requests, responses, stores
from tests.support.control_effects.bench import Effect

EFFECTS: Final[dict[str, Effect]] = {
    **requests.EFFECTS,
    **responses.EFFECTS,
    **parts.EFFECTS,
    **keys.EFFECTS,
    **certificates.EFFECTS,
    **stores.EFFECTS,
    **exports.EFFECTS,
}
