"""Work done side by side in threads."""
