"""Run every check of scim2-tester against a SCIM server and print the outcome as one JSON object.

Usage: run_scim2_tester.py BASE_URL TOKEN, with a Python that has scim2-tester and scim2-client[httpx2].
Output: {"counts": {"SUCCESS": 135}, "by_type": {"User": 90, "Group": 20, "": 25}, "bad": ["ERROR title: reason", ...]}
"""

import json
import sys
from collections import Counter

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server


def main(base_url: str, token: str) -> None:
    """Print what the checks found."""
    headers = {"Authorization": f"Bearer {token}"}
    with Client(base_url=base_url, headers=headers, timeout=30) as http:
        results = check_server(SyncSCIMClient(http))
    outcome = {
        "counts": Counter(result.status.name for result in results),
        "by_type": Counter(result.resource_type or "" for result in results),
        "bad": [f"{it.status.name} {it.title}: {it.reason}" for it in results if it.status.name != "SUCCESS"],
        "checked": sorted({str((result.data or {}).get("urn")) for result in results if _names_attribute(result)}),
    }
    print(json.dumps(outcome))


def _names_attribute(result: object) -> bool:
    data = getattr(result, "data", None)
    return isinstance(data, dict) and "urn" in data


if __name__ == "__main__":
    main(*sys.argv[1:3])
