' A certificate by a template, as administrators' scripts of 2008 asked for it: the CA decides what is in it.
' cscript user_template.vbs [template [provider]]
Option Explicit

Const ContextUser = 1
Const EnrollmentEnrolled = 1

Dim Request, Hash, Inner, Enrollment, Csps, Status, strTemplate, i
strTemplate = "User"
If WScript.Arguments.Count > 0 Then strTemplate = WScript.Arguments(0)

Set Request = CreateObject("X509Enrollment.CX509CertificateRequestPkcs10")
Request.InitializeFromTemplateName ContextUser, strTemplate
Request.PrivateKey.Length = 2048
Request.PrivateKey.FriendlyName = "Grace's key"
If WScript.Arguments.Count > 1 Then
    Set Csps = CreateObject("X509Enrollment.CCspInformations.1")
    Csps.AddAvailableCsps
    Request.PrivateKey.ProviderName = Csps.ItemByName(WScript.Arguments(1)).Name
    Request.PrivateKey.LegacyCsp = Csps.ItemByName(WScript.Arguments(1)).LegacyCsp
End If
Set Hash = CreateObject("X509Enrollment.CObjectID")
Hash.InitializeFromAlgorithmName 1, 0, 0, "SHA256"
Request.HashAlgorithm = Hash

For i = 0 To Request.X509Extensions.Count - 1
    WScript.Echo "extension " & Request.X509Extensions.ItemByIndex(i).ObjectId.Value
Next

Set Enrollment = CreateObject("X509Enrollment.CX509Enrollment")
Enrollment.InitializeFromRequest Request
Enrollment.CertificateFriendlyName = "Grace"
Enrollment.Enroll
Set Status = Enrollment.Status
If Status.Status <> EnrollmentEnrolled Then
    WScript.Echo "Not issued: 0x" & Hex(Status.Error) & " " & Status.Text
    WScript.Quit 1
End If

' What was asked for, taken apart again.
Set Inner = CreateObject("X509Enrollment.CX509CertificateRequestPkcs10.1")
Inner.InitializeDecode Enrollment.Request.GetInnerRequest(0).RawData
WScript.Echo "asked for a key of " & Inner.PublicKey.Length & " bits"
WScript.Echo "request " & Enrollment.RequestIdString & " of " & Enrollment.CAConfigString
