"""The command line ``xenroll``: one module a command family, loaded when its command is named."""
