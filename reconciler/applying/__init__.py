"""Operations in, results out: the only part that writes to a service provider. `execute` is the front door."""

from reconciler.applying.executing import execute

__all__ = ["execute"]
