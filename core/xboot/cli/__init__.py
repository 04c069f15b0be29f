"""The command line: one file a verb, `app.py` with their options, `ending.py` with how a command ends."""
