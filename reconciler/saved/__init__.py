"""Saved plans: what crosses from a review to an apply, and what of it still holds.

What `apply FILE` promises, and how:

- It does what the file shows or a part of it, never more and nothing else. The plan is made anew from the declarations
  and cut down to what the file holds, so that a file which somebody altered can only leave something out; `--reviewed`
  finds that too. Secrets cannot be in a file, because none can be declared.
- A file belongs to a target (name and address) and to the content of what was read: declarations, acceptances and
  settings. Which commit holds that content does not matter (`binding`).
- What the file changes is judged one by one by what is live (`judging`): as it was planned on: still to do; as it is to
  be: done already; anything else: the file is stale, and nothing is written. So is a file whose dates would bring about
  something else today.
- All rails run again, on what is left and on today's record: the limits, protect and minimum rules, `behind`,
  `diverged`, `dirty`, the claim of another apply, the proof in git before a removal. A rule that the file itself breaks
  refuses it as well. What was accepted for the whole file is accepted for what is left of it.
"""
