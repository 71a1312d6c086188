# Delayed enrollment with Xenroll and ICertRequest: the CA holds the request until someone approves it.
#
#   legacy_pending.py submit SUBJECT [CONFIG]      prints the number of the request
#   legacy_pending.py retrieve REQUESTID [CONFIG]  installs the certificate once it is issued

import sys

import pywintypes
import win32com.client

CC_DEFAULTCONFIG = 0
CR_IN_BASE64 = 0x1
CR_IN_PKCS10 = 0x100
CR_OUT_BASE64 = 0x1
CR_OUT_CHAIN = 0x100
CR_DISP_ISSUED = 0x3
CR_DISP_UNDER_SUBMISSION = 0x5

AT_KEYEXCHANGE = 1
KEY_2048 = 0x08000000


def submit(subject, config):
    enroll = win32com.client.Dispatch("CEnroll.CEnroll.2")
    enroll.KeySpec = AT_KEYEXCHANGE
    enroll.GenKeyFlags = KEY_2048
    pkcs10 = enroll.createPKCS10(subject, "1.3.6.1.5.5.7.3.2")

    request = win32com.client.Dispatch("CertificateAuthority.Request")
    disposition = request.Submit(CR_IN_BASE64 | CR_IN_PKCS10, pkcs10, "", config)
    if disposition == CR_DISP_UNDER_SUBMISSION:
        print("Pending as request", request.GetRequestId())
        return 0
    if disposition == CR_DISP_ISSUED:
        return accept(request)
    print("Refused:", request.GetDispositionMessage())
    return 1


def retrieve(request_id, config):
    request = win32com.client.Dispatch("CertificateAuthority.Request")
    disposition = request.RetrievePending(request_id, config)
    if disposition == CR_DISP_ISSUED:
        return accept(request)
    print("Not issued:", request.GetDispositionMessage())
    return 1


def accept(request):
    enroll = win32com.client.Dispatch("CEnroll.CEnroll.2")
    enroll.acceptPKCS7(request.GetCertificate(CR_OUT_BASE64 | CR_OUT_CHAIN))
    print("The certificate is installed.")
    return 0


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in ("submit", "retrieve"):
        print("usage: legacy_pending.py submit SUBJECT [CONFIG] | retrieve REQUESTID [CONFIG]")
        return 2
    try:
        if len(arguments) > 2:
            config = arguments[2]
        else:
            config = win32com.client.Dispatch("CertificateAuthority.Config").GetConfig(CC_DEFAULTCONFIG)
        if arguments[0] == "submit":
            return submit(arguments[1], config)
        return retrieve(int(arguments[1]), config)
    except pywintypes.com_error as error:
        print("Error", hex(error.hresult & 0xFFFFFFFF), error.excepinfo[2])
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
