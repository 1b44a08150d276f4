"""Requests to Mixpanel: quotas, retries, and checks that answers are complete."""
