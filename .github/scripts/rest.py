"""An API over HTTP with JSON, as the code hosts have one. Standard library only."""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

_ROWS = 100


class Rest:
    """Requests below a root. `host` is what messages call it; whatever fails ends the script with one line."""

    def __init__(self, host: str, root: str, headers: Mapping[str, str]) -> None:
        self._host, self._root = host, root
        self._headers = {"Content-Type": "application/json", **headers}

    def request(self, method: str, path: str, body: Any = None, **query: object) -> Any:
        """One request; the answer, None for an empty one."""
        url = f"{self._root}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers=dict(self._headers), method=method)  # noqa: S310  # the runner's
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # own address
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            said = error.read().decode("utf-8", "replace")[:300]
            sys.exit(f"{self._host} refused {method} {path}: {error.code} {json.dumps(said)}")
        except (OSError, ValueError) as error:
            sys.exit(f"{self._host} gave no answer to {method} {path}: {json.dumps(str(error)[:300])}")

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """Every row of a list."""
        page = 1
        while True:
            rows = self.request("GET", path, **query, per_page=_ROWS, page=page)
            yield from rows
            if len(rows) < _ROWS:
                return
            page += 1
