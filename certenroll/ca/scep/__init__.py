"""SCEP servers over HTTP: what one can do, its certificates, and messages carried there and back.

Knows no message's content: ``asn1/scep`` builds and reads those.
"""
