"""MY, CA, ROOT and REQUEST: certificates with their Windows properties, pending requests and the journal (SQLite)."""
