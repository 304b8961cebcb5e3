"""What can go wrong between the desktop and a node; every error carries a sentence for people."""

from __future__ import annotations


class RemoteError(Exception):
    """Anything that went wrong between here and a node. ``sentence`` says what, where, and what to do next."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def at(self, place: str) -> None:
        """Say first where on the way it happened, such as at which of several jump hosts."""
        self.sentence = f"{place}: {self.sentence}"
        self.args = (self.sentence,)

    def add(self, more: str) -> None:
        """Say something more, "" for nothing."""
        self.sentence = f"{self.sentence} {more}".rstrip()
        self.args = (self.sentence,)


class LinkError(RemoteError):
    """The connection failed or ended. Trying again later may help, and nothing on the node was harmed."""


class LinkTimeout(LinkError):
    """Nothing arrived, or nothing could be sent, within the time given."""


class Cancelled(RemoteError):
    """The caller asked for the end of the call."""


class NodeRefused(RemoteError):
    """The node cannot run the agent: no Python, one that is too old, a home that is not private, a full disk."""


class AgentFailed(RemoteError):
    """The agent answered with an error frame. ``kind`` is its machine-readable reason, "failed" where there is none."""

    def __init__(self, sentence: str, kind: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class NeedsPerson(RemoteError):
    """Only a person can go on: a host key to judge, a key to unlock, a setting to change. Never tried again alone."""


class AuthenticationFailed(NeedsPerson):
    """The node accepted none of the keys. Trying again without a change would only lock the address out."""


class HostKeyUnknown(NeedsPerson):
    """The node showed a host key that nobody has judged yet; nothing was sent to it.

    ``known_as`` is the name under which known_hosts files hold it: the host, or ``[host]:port`` where the port is
    not 22. ``fingerprint`` is ``SHA256:...`` as ``ssh-keygen -l`` shows it, ``art`` the picture that ``-lv`` adds.
    """

    def __init__(
        self, host: str, port: int, key_type: str, fingerprint: str, key_base64: str, known_as: str = "", art: str = ""
    ) -> None:
        super().__init__(
            f"{host} (port {port}) is not known yet. Its {key_type} host key has the fingerprint {fingerprint}. "
            "Compare it with what the machine's owner says before you accept it."
        )
        self.host = host
        self.port = port
        self.key_type = key_type
        self.fingerprint = fingerprint
        self.key_base64 = key_base64
        self.known_as = known_as or (host if port == 22 else f"[{host}]:{port}")
        self.art = art


class HostKeyChanged(NeedsPerson):
    """The node showed another host key than the one that is on file, or one that was revoked; nothing was sent to it.

    ``known_fingerprint`` and ``place`` ("file:line") name the key on file; the two arts are their pictures.
    """

    def __init__(
        self,
        host: str,
        port: int,
        offered_type: str,
        offered_fingerprint: str,
        known_type: str,
        known_fingerprint: str,
        place: str,
        revoked: bool = False,
        offered_art: str = "",
        known_art: str = "",
    ) -> None:
        offered = f"{host} (port {port}) showed the {offered_type} host key {offered_fingerprint}"
        if revoked:
            sentence = f"{offered}, which {place} marks as revoked. Nothing was sent."
        else:
            sentence = (
                f"{offered}, but {place} holds the {known_type} key {known_fingerprint}. Either the machine was set up "
                "anew or somebody sits in between. Nothing was sent. If its owner confirms the new key, delete that "
                "line and connect again."
            )
        super().__init__(sentence)
        self.host = host
        self.port = port
        self.offered_fingerprint = offered_fingerprint
        self.known_fingerprint = known_fingerprint
        self.place = place
        self.revoked = revoked
        self.offered_art = offered_art
        self.known_art = known_art
