// The successor of the control, as scripts after 2007 use it: mixed-case ProgIDs, CreateRequest without its argument, a
// response installed under three restrictions and in three encodings, RawData read and called. cscript certenroll.js
var AllowNone = 0, AllowUntrustedCertificate = 2, AllowUntrustedRoot = 4;
var HEADER = 0, BASE64 = 1, BASE64_ANY = 6;
var CR_IN_BASE64 = 1, CR_IN_PKCS10 = 0x100, CR_OUT_BASE64 = 1, CR_OUT_CHAIN = 0x100, CR_DISP_ISSUED = 3;

function make(name, usage) {
    var csps = new ActiveXObject("X509Enrollment.CCSPInformations");
    var key = new ActiveXObject("X509enrollment.CX509PrivateKey");
    var request = new ActiveXObject("x509Enrollment.CX509CertificateRequestPKCS10.1");
    var subject = new ActiveXObject("X509Enrollment.CX500DistinguishedName.1");
    var oid = new ActiveXObject("X509enrollment.CObjectID");
    var oids = new ActiveXObject("X509enrollment.CObjectIDs.1");
    var eku = new ActiveXObject("X509Enrollment.CX509ExtensionEnhancedKeyUsage");
    var enrollment = new ActiveXObject("X509enrollment.CX509enrollment");
    csps.AddAvailableCsps();
    key.CspInformations = csps;
    key.KeySpec = "1";
    key.Length = 2048;
    request.InitializeFromPrivateKey(1, key, "");
    subject.Encode("CN=" + name + ", O=Example", 0);
    request.Subject = subject;
    oid.InitializeFromValue(usage);
    oids.Add(oid);
    eku.InitializeEncode(oids);
    request.X509Extensions.Add(eku);
    enrollment.InitializeFromRequest(request);
    return enrollment;
}

var ways = [[AllowUntrustedRoot, HEADER], [AllowUntrustedCertificate, BASE64], [AllowNone, BASE64_ANY]];
for (var i = 0; i < ways.length; i++) {
    var enrollment = make("Way " + i, "1.3.6.1.5.5.7.3.2");
    var text = enrollment.CreateRequest();
    var ca = new ActiveXObject("CertificateAuthority.Request.1");
    if (ca.Submit(CR_IN_BASE64 | CR_IN_PKCS10, text, "", "") != CR_DISP_ISSUED) {
        throw new Error(ca.GetDispositionMessage());
    }
    enrollment.InstallResponse(ways[i][0], ca.GetCertificate(CR_OUT_CHAIN | (ways[i][1] & CR_OUT_BASE64)), ways[i][1], "");
    var inner = enrollment.Request.GetInnerRequest(0);
    WScript.Echo("restrictions " + ways[i][0] + ", encoding " + ways[i][1] + ": installed; status " +
        enrollment.Status.Status + ", RawData " + (inner.RawData == inner.RawData(1) ? "equal" : "different"));
}
