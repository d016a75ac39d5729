"""Key pairs and preshared keys that lie on a host: public halves and digests, never a private key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from wgorch.base.value import value
from wgorch.facts.grammar import match, public_key, words
from wgorch.facts.listing import entry
from wgorch.facts.part import Answers, Part, Reread

PART = Part(
    {"keys": Reread.UNDER_LOCK, "files": Reread.ALWAYS},
    moves_in_prepare=frozenset({"exists", "mode", "public", "staged", "source", "clean", "preshared"}),
)


@value
class Keys:
    """Keys of one network on one host."""

    exists: bool = False
    """There is a private key file."""
    mode: str = ""
    """Its mode as ``ls -l`` prints it."""
    public: str = ""
    """Public half of the key in use."""
    staged: tuple[str, ...] = ()
    """Public halves of new keys beside it."""
    source: str = ""
    """Public half of the key that the inventory's own command prints."""
    clean: bool = True
    """No old key lies beside a confirmed new one."""
    preshared: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the files of preshared keys, by name."""


def read(answers: Answers) -> Keys:
    """The Keys in a host's answers. Raises NotAnAnswer."""
    lines = list(words([*answers.get("keys", []), *answers.get("files", [])]))
    last = {word: rest for word, rest in lines if word in ("public_key", "offered")}
    return Keys(
        exists=("has", "private_key") in lines,
        mode=next((e.mode for word, rest in lines if (e := entry(word, rest)) and e.name == "private_key"), ""),
        public=public_key(last["public_key"]) if last.get("public_key") else "",
        staged=tuple(
            public_key(rest.replace("_", "/")) for word, rest in lines if word == "next_key" and len(rest) == 44
        ),
        source=public_key(last["offered"]) if last.get("offered") else "",
        clean=all(word != "unsettled" for word, _ in lines),
        preshared=dict(_digest(rest) for word, rest in lines if word == "secret"),
    )


def _digest(text: str) -> tuple[str, str]:
    name, _, digest = text.partition(" ")
    return match(r"psk\.[a-z0-9.-]{1,80}", name), match(r"[0-9a-f]{64}", digest)
