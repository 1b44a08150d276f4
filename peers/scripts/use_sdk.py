"""Sends with the official SDK; prints what it did as a line of JSON.

python use_sdk.py CREDENTIALS
"""

import json
import sys
import time
from typing import Any

from mixpanel import BufferedConsumer, Mixpanel, ServiceAccountCredentials

SENT = 120


def use(account: dict[str, Any]) -> dict[str, int]:
    """Track, import, and update profiles and groups, one by one and in batches."""
    credentials = ServiceAccountCredentials(
        account["username"], account["secret"], str(account["project_id"])
    )
    plain = Mixpanel(account["token"], credentials=credentials)
    buffer = BufferedConsumer(max_size=25, credentials=credentials)
    buffered = Mixpanel(account["token"], consumer=buffer)
    old = int(time.time()) - 10 * 86_400
    for number in range(SENT):
        sdk = buffered if number % 2 else plain
        sdk.track(f"sdk-{number % 7}", "SDK", {"number": number, "text": "\u2028 é 🛒"})
        sdk.import_data(None, f"sdk-{number % 7}", "SDK old", old, {"number": number})
    for number in range(7):
        plain.people_set(f"sdk-{number}", {"$name": f"Person {number}", "number": number})
        plain.people_increment(f"sdk-{number}", {"number": 1})
        plain.people_append(f"sdk-{number}", {"list": number})
        plain.group_set("company", f"company-sdk-{number}", {"seats": number})
    plain.people_delete("sdk-6")
    buffer.flush()
    return {"sent": SENT, "people": 6, "groups": 7}


print(json.dumps(use(json.loads(sys.argv[1]))))
