"""CEnroll, the certificate enrollment control of Xenroll.dll, over certenroll's public object model.

The class is a chain, one link for each family of members, from the stores and the other properties over what a request is
made of and the requests to the answers and what is pending; here it is closed and given its C++ twins. A script that asks
for any other name gets DISP_E_UNKNOWNNAME (438 in VBScript).
"""

from __future__ import annotations

from xenroll_compat.pending import ControlPending
from xenroll_compat.twins import with_twins


@with_twins
class CEnroll(ControlPending):
    """The certificate enrollment control: ICEnroll4 and IEnroll4 on one object.

    Windows had it until Vista; its pages stand under xenroll.h. It asks no user anything. ``KeyLocation`` is not
    Microsoft's: it says where the key is made (1 TPM, 2 TPM if there is one, 3 software, 4 a card's container).
    """
