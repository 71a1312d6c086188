<%@ LANGUAGE="VBScript" %>
<%
' The page that the web server made: the name comes from the form before it, the script below runs in the browser.
Option Explicit
Dim strName, aUsages, i
strName = Request.Form("name")
If strName = "" Then strName = Request.QueryString("name")
If strName = "" Then strName = "Erin"
aUsages = Array("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4")
Response.Expires = -1
%>
<html>
<head><title>Request for <%= Server.HTMLEncode(strName) %></title></head>
<body>
<object id="Enroll" classid="clsid:127698E4-E730-4E5C-A2B1-21490A70C8A1"></object>
<form name="Ask" method="post" action="finish.asp">
<select name="Usage">
<% For i = 0 To UBound(aUsages) %>
<option value="<%= aUsages(i) %>"><%= aUsages(i) %></option>
<% Next %>
</select>
<input type="hidden" name="CertRequest">
<input type="button" name="Create" value="Create">
</form>
<script language="VBScript">
Sub Create_OnClick
    Enroll.KeySpec = 1
    document.Ask.CertRequest.value = Enroll.createPKCS10("CN=<%= strName %>", document.Ask.Usage.value)
    document.Ask.submit
End Sub
</script>
</body>
</html>
