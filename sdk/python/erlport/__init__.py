"""The names of erlport that handlers import. No Erlang is involved."""

from erlport.erlterms import Atom, ImproperList, List, OpaqueObject

__all__ = ["Atom", "ImproperList", "List", "OpaqueObject"]
