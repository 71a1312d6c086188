"""Enrollment policies: which templates there are and which CAs issue by them; of the local CA and of policy documents."""
