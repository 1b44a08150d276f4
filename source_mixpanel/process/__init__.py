"""The process and its caller: commands, files, signals, what a terminal shows."""
