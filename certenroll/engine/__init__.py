"""What the objects of the model have done for them, without COM: keys made, requests noted and sent, responses installed.

``workspace`` binds a profile's stores, key stores and CAs, and ``opening`` opens it; ``key_creation``, ``submission`` and
``installation`` are the three steps of an enrollment; ``restrictions`` is the table of what InstallResponse refuses;
``recovery`` ends what a crash left unfinished.
"""
