"""Reads and writes with `mixpanel-utils`; prints what it did as a line of JSON.

python use_utils.py CREDENTIALS FROM TO
"""

import json
import logging
import sys
import time
from typing import Any

from mixpanel_utils import MixpanelUtils

SENT = 2_500


def use(account: dict[str, Any], first: str, last: str) -> dict[str, int]:
    """Export events and profiles by both kinds of credentials; send some of either."""
    MixpanelUtils.LOGGER.setLevel(logging.ERROR)
    by_account = MixpanelUtils(
        account["secret"],
        token=account["token"],
        service_account_username=account["username"],
        project_id=account["project_id"],
    )
    by_secret = MixpanelUtils(account["api_secret"], token=account["token"])
    days = {"from_date": first, "to_date": last}
    profiles = by_account.query_engage({"page_size": 100})
    told = {
        "events": len(by_account.query_export(dict(days))),
        "events_gzipped": len(by_secret.query_export(dict(days), add_gzip_header=True)),
        "profiles": len(profiles),
        "distinct_profiles": len({profile["$distinct_id"] for profile in profiles}),
        "profiles_by_secret": len(by_secret.query_engage()),
    }
    moment = int(time.time()) - 3600
    events = [
        {
            "event": "Utils",
            "properties": {"distinct_id": f"u-{n}", "time": moment, "$insert_id": f"utils-{n}"},
        }
        for n in range(SENT)
    ]
    by_account.import_events(events, timezone_offset=0)
    some = [{"$distinct_id": f"u-{n}", "$properties": {"n": n}} for n in range(SENT)]
    by_secret.import_people(some)
    by_secret.people_set({"seen": True}, profiles=some[:10], backup=False)
    return {**told, "sent": SENT}


print(json.dumps(use(json.loads(sys.argv[1]), sys.argv[2], sys.argv[3])))
