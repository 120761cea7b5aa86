"""YAML made safe: bytes in, plain Python data out, with the place of every key and value.

Only ``true``, ``false``, ``null`` and ``~`` are special; every other plain scalar stays text exactly as written, so
``no``, ``02142``, ``1e3`` and ``2026-01-02`` mean what they look like. Refused, each with its place and a mend:
repeated keys, tags, keys that are no text, empty values, tabs in indentation, comments glued to a value, bytes that are
not UTF-8, and documents that are too large, too deep or unfold too far. Nothing here knows what the data means, and no
error of the parser leaves this module.
"""

from reconciler.yamlsource.events import fast_parser
from reconciler.yamlsource.places import Places
from reconciler.yamlsource.reading import MAX_BYTES, YamlFile, read_yaml
from reconciler.yamlsource.scalars import Quoted, number
from reconciler.yamlsource.writing import rows, written

__all__ = ["MAX_BYTES", "Places", "Quoted", "YamlFile", "fast_parser", "number", "read_yaml", "rows", "written"]
