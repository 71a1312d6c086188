' A user's certificate as scripts of 2003 asked for it: the control makes the request, CertificateAuthority.Request
' carries it to the CA, and the answer is accepted. cscript request.vbs [configuration]
Option Explicit

Const CR_IN_BASE64 = &h1&
Const CR_IN_PKCS10 = &h100&
Const CR_OUT_BASE64 = &h1&
Const CR_OUT_CHAIN = &h100&
Const CR_DISP_ISSUED = 3

Dim Enroll, Request, strConfig, strRequest, nDisposition, strAnswer

strConfig = ""
If WScript.Arguments.Count > 0 Then strConfig = WScript.Arguments(0)

Set Enroll = CreateObject("CEnroll.CEnroll.2")
Enroll.Reset
Enroll.ProviderType = "24"
Enroll.KeySpec = "1"
Enroll.GenKeyFlags = &h08000001     ' 2048 bits, exportable
Enroll.HashAlgorithm = "MD5"
Enroll.DeleteRequestCert = False

strRequest = Enroll.createPKCS10("CN=""Alice Example"";OU=Sales;O=Example;S=WA;C=US", "1.3.6.1.5.5.7.3.2")
WScript.Echo "-----BEGIN NEW CERTIFICATE REQUEST-----" & vbCrLf & strRequest & "-----END NEW CERTIFICATE REQUEST-----"

Set Request = CreateObject("CertificateAuthority.Request")
nDisposition = Request.Submit(CR_IN_BASE64 Or CR_IN_PKCS10, strRequest, "", strConfig)
If nDisposition <> CR_DISP_ISSUED Then
    WScript.Echo "The CA has not issued: " & Request.GetDispositionMessage()
    WScript.Quit 1
End If

strAnswer = Request.GetCertificate(CR_OUT_BASE64 Or CR_OUT_CHAIN)
Enroll.acceptPKCS7 strAnswer
Enroll.acceptPKCS7 strAnswer        ' a second time, as pages did: the request is still there, and so it succeeds
WScript.Echo "Installed from container " & Enroll.ContainerName
