"""The process: command line, files, signals, terminal."""
