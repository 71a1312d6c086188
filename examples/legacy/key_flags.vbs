' GenKeyFlags: the length of the key in bits << 16, with 1 for a key that may leave this machine and 2 for one that asks its user.
' Which lengths there are is the provider's affair, and the device's. cscript key_flags.vbs
Option Explicit

Const CRYPT_EXPORTABLE = 1
Const CRYPT_USER_PROTECTED = 2
Const NTE_BAD_LEN = &h80090004

Dim Enroll, aFlags, nFlags
Set Enroll = CreateObject("CEnroll.CEnroll")
aFlags = Array(&h02000003, &h04000003, &h08000003, 0)
For Each nFlags In aFlags
    Enroll.Reset
    Enroll.GenKeyFlags = nFlags
    TryIt "written"
Next

' Read, changed and written back: not for export, and 4096 bits.
Enroll.GenKeyFlags = &h08000000 Or CRYPT_EXPORTABLE
Enroll.GenKeyFlags = Enroll.GenKeyFlags And Not CRYPT_EXPORTABLE
TryIt "changed"
Enroll.GenKeyFlags = (Enroll.GenKeyFlags And &hFFFF&) Or 4096 * &h10000
TryIt "longer"

Sub TryIt(strHow)
    Dim strRequest
    On Error Resume Next
    strRequest = Enroll.createPKCS10("CN=Key", "")
    If Err.Number = 0 Then
        WScript.Echo strHow & " 0x" & Hex(Enroll.GenKeyFlags) & ": a request of " & Len(strRequest) & " characters"
    ElseIf Err.Number = NTE_BAD_LEN Then
        WScript.Echo strHow & " 0x" & Hex(Enroll.GenKeyFlags) & ": no key of " & Enroll.GenKeyFlags \ &h10000 & " bits"
    Else
        WScript.Echo strHow & " 0x" & Hex(Enroll.GenKeyFlags) & ": error 0x" & Hex(Err.Number)
    End If
End Sub
