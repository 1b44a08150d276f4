"""Origins of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from source_mixpanel.streams.state import Origin

origins = st.builds(
    Origin,
    project_id=st.none() | st.integers(1, 10**9),
    region=st.sampled_from([None, "US", "EU", "IN"]),
    workspace_ids=st.lists(st.none() | st.integers(1, 99), max_size=3, unique=True).map(tuple),
    project_timezone=st.sampled_from([None, "UTC", "Asia/Tokyo"]),
    filters=st.lists(st.text(max_size=5), max_size=2, unique=True).map(tuple),
)
