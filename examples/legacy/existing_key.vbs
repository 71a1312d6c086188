' A second certificate for a key that is there already: NTE_EXISTS, then UseExistingKeySet. cscript existing_key.vbs [container]
Const NTE_EXISTS = &h8009000F

Dim Enroll, strContainer, strFirst, strSecond
strContainer = "old-key"
If WScript.Arguments.Count > 0 Then strContainer = WScript.Arguments.Item(0)
Set Enroll = CreateObject("CEnroll.CEnroll")
Enroll.ContainerName = strContainer
Enroll.KeySpec = 1

strFirst = MakeRequest("CN=First")
strSecond = MakeRequest("CN=Second")
If Len(strFirst) > 0 And Len(strSecond) > 0 Then WScript.Echo "Two requests for one key"

Function MakeRequest(strName)
    On Error Resume Next
    Dim strMade
    strMade = Enroll.createPKCS10(strName, "")
    If Err.Number = NTE_EXISTS Then
        WScript.Echo "The container is there: 0x" & Hex(Err.Number)
        Err.Clear
        Enroll.UseExistingKeySet = True
        strMade = Enroll.createPKCS10(strName, "")
    End If
    If Err.Number <> 0 Then
        WScript.Echo "Failed: " & Err.Number & " 0x" & Hex(Err.Number) & " " & Err.Description
        strMade = ""
    End If
    MakeRequest = strMade
End Function
