"""Profiles of users, groups and cohort members."""
