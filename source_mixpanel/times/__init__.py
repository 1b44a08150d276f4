"""Clocks, dates, days and what an event's time means."""
