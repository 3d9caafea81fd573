"""Types for annotations, and the class of the objects that decorated methods get."""

from typing import Any, Dict, List, Tuple

EMQX_TOPICS = List[str]
EMQX_CLIENTINFO_T = List[Tuple[bytes, Any]]
EMQX_MESSAGE_T = List[Tuple[bytes, Any]]
EMQX_OPTS_T = List[Tuple[bytes, Any]]
EMQX_PROPS_T = Dict[str, int]


class EMQXBase:
    """Attributes as the broker sent them: ``clientinfo.clientid``. Names that are no identifiers: ``to_dict()`` or ``getattr``."""

    def to_dict(self) -> Dict[str, Any]:
        return self.__dict__

    def __repr__(self) -> str:
        return "%s(%s)" % (type(self).__name__, ", ".join("%s=%r" % item for item in self.to_dict().items()))


class _Parsed(EMQXBase):
    def to_dict(self) -> Dict[str, Any]:
        return {name: getattr(self, name, None) for name in type(self).__annotations__}


class EMQX_CLIENTINFO_PARSE_T(_Parsed):
    node: str
    clientid: str
    username: str
    password: str
    peerhost: str
    sockport: int
    protocol: str
    mountpoint: str
    is_superuser: bool
    anonymous: bool


class EMQX_MESSAGE_PARSE_T(_Parsed):
    node: str
    id: str
    qos: int
    from_clientid: str
    topic: str
    payload: str
    timestamp: int


class EMQX_OPTS_PARSE_T(_Parsed):
    is_new: bool
    nl: int
    qos: int
    rap: int
    rh: int
