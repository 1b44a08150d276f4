"""Numbers that Mixpanel counts by day: funnels, revenue, event counts, reports."""
