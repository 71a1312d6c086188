"""Ports of legacy scripts: what replaces each member of the control, and a script written from a run of the old one."""
