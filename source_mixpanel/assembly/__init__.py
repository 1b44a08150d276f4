"""Settings, streams and quotas put together for one command."""
