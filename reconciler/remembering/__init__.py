"""The two records of a run: what it is about to do (`announce`), and what was then found in place (`conclude`).

=============================================================  ==================  ==============
outcome, per attribute or list value                            A                   P
=============================================================  ==================  ==============
in place as declared (written or found)                         D, until, mode      cleared
failed, skipped, unknown, "server kept Y"                       unchanged           kept
not tried because of a rail or a stale path                     unchanged           as it was
drift, left                                                     unchanged (1)       cleared
taken and verified gone, or already gone                        forgotten           cleared
no line any more (not access)                                   forgotten           cleared
not read, frozen                                                unchanged           unchanged
D changed back to A and L equals A                              unchanged           cleared
create without an answer                                        empty               all that was sent
undeclared, and nothing of ours left on it                      entry dropped
undeclared, something failed                                    entry kept whole    kept
released                                                        entry and claims dropped
=============================================================  ==================  ==============

(1) D where `activity` says that the record keeps A = true. Pure.
"""

from reconciler.remembering.announcing import announce
from reconciler.remembering.concluding import conclude

__all__ = ["announce", "conclude"]
