' A request in a file, for a CA that is far away; its answer, another day, from a file; a backup of both.
' cscript request_file.vbs new REQUEST NAME, then cscript request_file.vbs accept ANSWER [BACKUP]
Option Explicit

Const XECR_PKCS10 = 1
Const NTE_BAD_KEY_STATE = &h8009000B
Const SAN = "2.5.29.17"

Dim Enroll, Files, strWhat, strFile
Set Enroll = CreateObject("CEnroll.CEnroll.2")
Set Files = CreateObject("Scripting.FileSystemObject")
strWhat = LCase(WScript.Arguments(0))
strFile = WScript.Arguments(1)

If strWhat = "new" Then
    NewRequest WScript.Arguments(2)
ElseIf Files.FileExists(strFile) Then
    Accept
    If WScript.Arguments.Count > 2 Then Backup WScript.Arguments(2)
Else
    WScript.Echo "No answer yet: " & strFile
    WScript.Quit 2
End If

Sub NewRequest(strName)
    Enroll.KeySpec = 2
    Enroll.GenKeyFlags = &h08000001
    ' bob.example.com as an alternative name, in base64
    Enroll.addExtensionToRequest 0, SAN, "MBGCD2JvYi5leGFtcGxlLmNvbQ=="
    Enroll.createFileRequest XECR_PKCS10, strName, "1.3.6.1.5.5.7.3.4", strFile
    WScript.Echo "Request " & Enroll.ThumbPrint & " is in " & strFile & ": " & Files.GetFile(strFile).Size & " bytes"
End Sub

Sub Accept()
    Enroll.WriteCertToCSP = False
    Enroll.CAStoreFlags = &h10000
    Enroll.acceptFilePKCS7 strFile
    WScript.Echo "Accepted " & strFile
    Enroll.InstallPKCS7 Files.OpenTextFile(strFile).ReadAll()
End Sub

Sub Backup(strBackup)
    On Error Resume Next
    Enroll.createFilePFX InputBox("A password for the backup:"), strBackup
    If Err.Number = NTE_BAD_KEY_STATE Then
        WScript.Echo "No backup: the key cannot leave its device"
    ElseIf Err.Number <> 0 Then
        WScript.Echo "No backup: 0x" & Hex(Err.Number) & " " & Err.Description
    Else
        WScript.Echo "Backup in " & strBackup
    End If
End Sub
