"""Read-only records with slots, whose fields may be read from their source when somebody asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Dict, Tuple, Type, TypeVar

T = TypeVar("T")
R = TypeVar("R", bound="Record")

#: How to read each field of a record from what came over the wire.
Loaders = Dict[str, Callable[[Any], Any]]


class Record:
    """Base of all records. A record is never changed; ``replace`` makes another."""

    __slots__ = ("_loaders", "_raw", "_changed")

    if TYPE_CHECKING:
        _loaders: Loaders
        _raw: Any
        _changed: Tuple[str, ...]
        _names: ClassVar[Tuple[str, ...]]
    else:

        def __getattr__(self, name):
            # Called only when a slot is empty: a field that nobody has read yet, or a name that does not exist.
            if name.startswith("_") or name not in self._names:
                raise AttributeError(f"{type(self).__name__} has no field {name!r}")
            value = self._loaders[name](self._raw)
            object.__setattr__(self, name, value)
            return value

    def __reduce__(self) -> Tuple[Any, ...]:
        return (type(self), tuple(getattr(self, name) for name in self._names))


def _refuse_set(self: Record, name: str, value: object) -> None:
    raise AttributeError(
        f"{type(self).__name__} is read-only: nothing happens to it when you set {name!r}. Return a changed copy: "
        f"return {type(self).__name__.lower()}.replace({name}=...)"
    )


def _refuse_delete(self: Record, name: str) -> None:
    raise AttributeError(f"{type(self).__name__} is read-only")


if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    @dataclass_transform(frozen_default=True, field_specifiers=(field,))
    def record(cls: Type[T]) -> Type[T]: ...

else:

    def record(cls):
        """``dataclass(frozen=True, slots=True)``, on Python 3.8 too, and open to lazy fields."""
        made = dataclass(frozen=True)(cls)
        names = tuple(field.name for field in fields(made))
        inherited = getattr(cls.__mro__[1], "_names", ())
        own = tuple(name for name in names if name not in inherited)
        left_out = own + ("__dict__", "__weakref__", "__setattr__", "__delattr__")
        namespace = {name: value for name, value in made.__dict__.items() if name not in left_out}
        namespace["__slots__"] = own
        namespace["__setattr__"] = _refuse_set
        namespace["__delattr__"] = _refuse_delete
        namespace["_names"] = names
        slotted = type(made)(made.__name__, made.__bases__, namespace)
        slotted.__qualname__ = made.__qualname__
        return slotted


# Past the __setattr__ that refuses, and faster.
_set_loaders: Callable[[Any, Loaders], None] = vars(Record)["_loaders"].__set__
_set_raw: Callable[[Any, Any], None] = vars(Record)["_raw"].__set__
_new = object.__new__


def view(kind: Type[R], loaders: Loaders, raw: Any) -> R:
    """A record of which no field has been read: each is loaded from ``raw`` when it is asked for."""
    made = _new(kind)
    _set_loaders(made, loaders)
    _set_raw(made, raw)
    return made


def changed(original: R, changes: Dict[str, Any]) -> R:
    """A copy with other values in some fields; remembers which."""
    made = _new(type(original))
    put = object.__setattr__
    kept = before = changes_of(original)
    if hasattr(original, "_raw"):
        _set_loaders(made, original._loaders)
        _set_raw(made, original._raw)
    for name in kept:
        put(made, name, getattr(original, name))
    for name, value in changes.items():
        put(made, name, value)
    put(made, "_changed", before + tuple(name for name in changes if name not in before))
    return made


def changes_of(made: Record) -> Tuple[str, ...]:
    """Fields that ``replace`` set; all of them for a record that was made from nothing."""
    try:
        return made._changed
    except AttributeError:
        return () if hasattr(made, "_raw") else type(made)._names
