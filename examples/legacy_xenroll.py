# Out-of-band enrollment with the Xenroll control: the request leaves as a file, the answer comes back as one.
#
#   legacy_xenroll.py create [SUBJECT [REQUESTFILE]]
#   legacy_xenroll.py accept [RESPONSEFILE]

import sys

import pywintypes
import win32com.client

AT_KEYEXCHANGE = 1
PROV_RSA_FULL = 1
KEY_2048_EXPORTABLE = 0x08000001
CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2"

HEADER = "-----BEGIN NEW CERTIFICATE REQUEST-----\r\n"
FOOTER = "-----END NEW CERTIFICATE REQUEST-----\r\n"


def create(subject, filename):
    enroll = win32com.client.Dispatch("CEnroll.CEnroll.1")
    enroll.ProviderType = PROV_RSA_FULL
    enroll.KeySpec = AT_KEYEXCHANGE
    enroll.GenKeyFlags = KEY_2048_EXPORTABLE
    request = enroll.createPKCS10(subject, CLIENT_AUTHENTICATION)
    with open(filename, "w", newline="") as output:
        output.write(HEADER + request + FOOTER)
    print("The request for", subject, "is in", filename + ". Take it to your CA.")


def accept(filename):
    with open(filename) as response:
        text = response.read()
    enroll = win32com.client.Dispatch("CEnroll.CEnroll.1")
    enroll.acceptPKCS7(text)
    print("The certificate is installed.")


def main(arguments):
    command = arguments[0] if arguments else "create"
    rest = arguments[1:]
    try:
        if command == "create":
            create(rest[0] if rest else "CN=Legacy User,O=Example", rest[1] if len(rest) > 1 else "request.req")
        elif command == "accept":
            accept(rest[0] if rest else "response.p7b")
        else:
            print("usage: legacy_xenroll.py create [SUBJECT [REQUESTFILE]] | accept [RESPONSEFILE]")
            return 2
    except pywintypes.com_error as error:
        print("Error", hex(error.hresult & 0xFFFFFFFF), error.excepinfo[2])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
