"""A runner for scripts that stand elsewhere: it takes a folder of them, runs each and says how it ended. It fetches none."""
