"""What a list endpoint answers whole."""
