"""Hosts that run legacy enrollment scripts as they are."""
