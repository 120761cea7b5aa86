"""RFC 7643 and RFC 7644 vocabulary as pure functions and data: attributes, paths, values. No I/O."""
