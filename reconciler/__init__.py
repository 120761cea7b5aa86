"""Declarative reconciler for SCIM 2.0 identities: YAML in git, a reviewed plan, an ordered apply."""

__version__ = "0.1.0"
