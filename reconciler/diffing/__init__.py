"""Desired, applied, live: which differences exist, and why each of them does. Pure.

The rules stand as tables above the code that follows them: `scalars` (one value), `lists` (one value of a list),
`activity` (`active`), `resources` (a whole user or group).
"""
