"""The way to a service provider and back: HTTP, signing in, patience, paging. Knows nothing of plans.

`client` has the two clients, one that can only read and one that can also write. httpx lives in this package only.
"""
