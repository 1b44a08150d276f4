"""One integer makes one project, byte for byte."""
