# Automatic enrollment with CertEnroll: the CA answers at once and the certificate is installed.
#
#   certenroll_enroll.py [SUBJECT]

import sys

import pythoncom
import pywintypes
import win32com.client

CONTEXT_USER = 1
XCN_CRYPT_STRING_BASE64 = 1
XCN_CERT_NAME_STR_NONE = 0
XCN_AT_KEYEXCHANGE = 1
ENROLLED = 1
ENROLL_PENDED = 2


def enroll(subject):
    key = win32com.client.Dispatch("X509Enrollment.CX509PrivateKey")
    key.ProviderName = "Microsoft Enhanced Cryptographic Provider v1.0"
    key.KeySpec = XCN_AT_KEYEXCHANGE
    key.Length = 2048
    key.MachineContext = False

    name = win32com.client.Dispatch("X509Enrollment.CX500DistinguishedName")
    name.Encode(subject, XCN_CERT_NAME_STR_NONE)

    usage = win32com.client.Dispatch("X509Enrollment.CObjectId")
    usage.InitializeFromValue("1.3.6.1.5.5.7.3.2")
    usages = win32com.client.Dispatch("X509Enrollment.CObjectIds")
    usages.Add(usage)
    extension = win32com.client.Dispatch("X509Enrollment.CX509ExtensionEnhancedKeyUsage")
    extension.InitializeEncode(usages)

    request = win32com.client.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    request.InitializeFromPrivateKey(CONTEXT_USER, key, "")
    request.Subject = name
    request.X509Extensions.Add(extension)

    enrollment = win32com.client.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(request)
    enrollment.CertificateFriendlyName = "Enrolled by a script"
    enrollment.Enroll()

    status = enrollment.Status
    if status.Status == ENROLLED:
        print("Installed:")
        print(enrollment.Certificate(XCN_CRYPT_STRING_BASE64))
        return 0
    if status.Status == ENROLL_PENDED:
        print("The CA holds request", enrollment.RequestId)
        return 0
    print("Not enrolled:", hex(status.Error & 0xFFFFFFFF), status.Text)
    return 1


def main(arguments):
    pythoncom.CoInitialize()
    try:
        return enroll(arguments[0] if arguments else "CN=Legacy User, O=Example")
    except pywintypes.com_error as error:
        print("Error", hex(error.hresult & 0xFFFFFFFF), error.excepinfo[2])
        return 1
    finally:
        pythoncom.CoUninitialize()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
