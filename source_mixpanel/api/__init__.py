"""Talking to Mixpanel: requests, quotas, retries, and bodies that are proven whole."""
