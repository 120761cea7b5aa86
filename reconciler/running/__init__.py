"""One run against one target, from the declarations to the record: what `plan` and `apply` share, and what they do not.

Whoever plans imports `plans`, and nothing that writes; `applies` announces in the record, writes, reads again, and
records what it found. Both begin with the `Run` of `run`.
"""
