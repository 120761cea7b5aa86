"""Live users and groups -> the lines that would declare them as they are, and the files these lines stand in.

Pure. Which of the lines may be written is for the checks of declarations to say: `File.at` tells whose line it was that
they found wrong.
"""

from reconciler.drafting.drafts import Draft, Names, Where, drafted
from reconciler.drafting.files import File, file_of
from reconciler.drafting.keys import keys_for
from reconciler.drafting.layout import is_team, laid_out

__all__ = ["Draft", "File", "Names", "Where", "drafted", "file_of", "is_team", "keys_for", "laid_out"]
