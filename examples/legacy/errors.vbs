' What else goes wrong in scripts, and with which number: wrong arguments, wrong values, texts that are no answer or no name.
' cscript errors.vbs
Dim Enroll, Nobody, strThing

Set Enroll = CreateObject("CEnroll.CEnroll.2")

On Error Resume Next

Enroll.UseExistingKeySet = True
Enroll.ContainerName = "there is no such container"
strThing = Enroll.createPKCS10("CN=x", "")
Report "no such container"
Enroll.Reset

Enroll.acceptPKCS7 "this is no answer"
Report "no answer"

strThing = Enroll.createPKCS10("this is no name", "")
Report "no name"

strThing = Enroll.createPKCS10("CN=x")
Report "too few arguments"

Enroll.KeySpec = "not a number"
Report "not a number"

strThing = Enroll.NoSuchProperty
Report "no such property"

Set strThing = Enroll.KeySpec
Report "no object to set"

strThing = Undefined.Member
Report "no object"

Set Nobody = Nothing
Nobody.Reset
Report "nothing"

Sub Report(strWhat)
    WScript.Echo strWhat & ": " & Err.Number & " 0x" & Hex(Err.Number)
    Err.Clear
End Sub
