"""Bytes to frozen dataclasses and back: names, requests, certificates, CMS, Microsoft's attributes and extensions.

No I/O, no clock, no state: what is needed from outside is an argument.
"""
