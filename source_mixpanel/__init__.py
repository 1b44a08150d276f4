"""An Airbyte source that moves everything a Mixpanel project holds into a warehouse."""
