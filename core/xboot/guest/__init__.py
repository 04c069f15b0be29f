"""Guest code that more than one backend uses, and how it is built."""
