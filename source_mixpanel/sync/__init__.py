"""What to read next and what has been read: windows, coverage and state. Pure, but for threads."""
