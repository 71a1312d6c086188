"""Ports: recorded, written in three languages, verified."""
