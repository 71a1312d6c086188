' Each error number that enrollment scripts compare Err.Number with, from a call that fails so. Two of them need a user who
' cancels, and a provider that breaks: they are raised. It needs a CA. cscript error_numbers.vbs [configuration]
Const CR_IN_BASE64 = &h1&
Const CR_IN_PKCS10 = &h100&

Dim Enroll, Request, strConfig, strText, strAnswer, i
strConfig = ""
If WScript.Arguments.Count > 0 Then strConfig = WScript.Arguments(0)
Set Enroll = CreateObject("CEnroll.CEnroll.2")

On Error Resume Next

Err.Raise &h800704C7
Report "ERROR_CANCELLED"

Enroll.ContainerName = "twice"
strText = Enroll.createPKCS10("CN=Once", "")
Err.Clear
strText = Enroll.createPKCS10("CN=Twice", "")
Report "NTE_EXISTS"
Enroll.Reset

' An answer that is accepted takes its request with it: when it comes again there is none.
Set Request = CreateObject("CertificateAuthority.Request")
strText = Enroll.createPKCS10("CN=Answered", "")
Request.Submit CR_IN_BASE64 Or CR_IN_PKCS10, strText, "", strConfig
If Err.Number = 0 Then strAnswer = Request.GetCertificate(&h101)
If Err.Number = 0 Then Enroll.acceptPKCS7 strAnswer
If Err.Number <> 0 Then
    WScript.Echo "The other errors need a CA that answers at once: 0x" & Hex(Err.Number)
    WScript.Quit 1
End If
Enroll.acceptPKCS7 strAnswer
Report "CRYPT_E_NOT_FOUND"

Err.Raise &h80090020
Report "NTE_FAIL"

' A certificate that signs itself is its own root, which nobody trusts yet.
InstallSelfSigned
Report "CERT_E_UNTRUSTEDROOT"

For i = 0 To 4711
    strText = Enroll.enumProviders(i, 0)
    If Err.Number <> 0 Then Exit For
Next
Report "ERROR_NO_MORE_ITEMS"

Set Request = CreateObject("No.Such.Class")
Report "cannot create object"

Enroll.noSuchMember
Report "no such member"

Sub InstallSelfSigned()
    Dim Certificate, Name, Enrollment
    Set Name = CreateObject("X509Enrollment.CX500DistinguishedName")
    Name.Encode "CN=Myself", 0
    Set Certificate = CreateObject("X509Enrollment.CX509CertificateRequestCertificate")
    Certificate.Initialize 1
    Certificate.Subject = Name
    Certificate.Issuer = Name
    Set Enrollment = CreateObject("X509Enrollment.CX509Enrollment")
    Enrollment.InitializeFromRequest Certificate
    Enrollment.InstallResponse 0, Enrollment.CreateRequest(1), 1, ""
End Sub

Sub Report(strWhat)
    WScript.Echo strWhat & " " & Err.Number & " " & Hex(Err.Number)
    Err.Clear
End Sub
