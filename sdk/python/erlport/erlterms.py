"""The types that the broker's values have in a handler."""

import pickle

__all__ = ["Atom", "List", "ImproperList", "OpaqueObject"]


class Atom(bytes):
    """A symbol: ``Atom(b'publish')``. Equal to the bytes of its name."""

    __slots__ = ()

    def __new__(cls, name):
        if isinstance(name, str):
            name = name.encode("utf-8")
        if len(name) > 255:
            raise ValueError("invalid atom length: %d" % len(name))
        return super().__new__(cls, name)

    def __repr__(self):
        return "Atom(%s)" % super().__repr__()

    def __str__(self):
        return self.__repr__()


class List(list):
    """A list as it comes from the broker. Text may travel as a list of code points: ``to_string`` gives it back."""

    __slots__ = ()

    def to_string(self):
        """The code points as ``str``. Raises TypeError when an element is none."""
        try:
            return "".join(chr(one) for one in self)
        except (TypeError, ValueError, OverflowError):
            raise TypeError("not a list of code points: %r" % (self,)) from None

    def __repr__(self):
        return "List(%s)" % super().__repr__()


class ImproperList(list):
    """A list whose last element is in ``tail``."""

    __slots__ = ("tail",)

    def __init__(self, sequence, tail):
        super().__init__(sequence)
        if not self:
            raise ValueError("empty list not allowed")
        if isinstance(tail, list):
            raise TypeError("a list cannot be the tail of an improper list")
        self.tail = tail

    def __repr__(self):
        return "ImproperList(%s, %r)" % (super().__repr__(), self.tail)


class OpaqueObject:
    """A value of one language that the others only pass on."""

    __slots__ = ("data", "language")

    def __init__(self, data, language=b"python"):
        if not isinstance(data, bytes):
            raise TypeError("data must be bytes, not %s" % type(data).__name__)
        if not isinstance(language, bytes):
            raise TypeError("language must be bytes, not %s" % type(language).__name__)
        self.data = data
        self.language = Atom(language)

    def decode(self):
        """The object, where it comes from Python; else this one."""
        return pickle.loads(self.data) if self.language == b"python" else self

    def __eq__(self, other):
        if not isinstance(other, OpaqueObject):
            return NotImplemented
        return self.data == other.data and self.language == other.language

    def __hash__(self):
        return hash((self.data, self.language))

    def __repr__(self):
        return "OpaqueObject(%r, %r)" % (self.data, self.language)
