"""Building streams and quotas out of the settings, for one command."""
