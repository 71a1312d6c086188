' The names and usages that scripts pass: commas and semicolons, quotation marks, object ids, no name at all; no usage, one,
' several. All the requests are for one key. cscript names_and_usages.vbs
Dim Enroll, aNames, aUsages, aHashes, i, strText

Set Enroll = CreateObject("CEnroll.CEnroll.1")
aNames = Array("CN=Bob,O=Example,C=US", "CN=Bob;O=Example;C=US", "CN=""x"";", "", "1.2.840.113549.1.9.1=bob@example.com, CN=Bob", _
    "E=bob@example.com;CN=Bob;S=WA;L=Here")
aUsages = Array("", "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.2.1.21", "1.3.6.1.5.5.7.3.2,1.3.6.1.5.5.7.3.4")
aHashes = Array("SHA1", "MD5")

For i = 0 To UBound(aNames)
    Enroll.HashAlgorithm = aHashes(i Mod 2)
    strText = Enroll.createPKCS10(aNames(i), aUsages(i Mod 4))
    If i = 0 Then
        Enroll.ContainerName = Enroll.ContainerName     ' what was made for the first one
        Enroll.UseExistingKeySet = True
    End If
    WScript.Echo "[" & aNames(i) & "] [" & aUsages(i Mod 4) & "] " & Enroll.HashAlgorithm
    WScript.Echo strText
Next
