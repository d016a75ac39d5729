"""Values written as small mappings: a mapped LAN, the source of a private key, preshared keys, SSH client, failover."""

from __future__ import annotations

from wgorch.inventory.failover import Failover
from wgorch.inventory.fields.addresses import LAN
from wgorch.inventory.fields.field import Schema
from wgorch.inventory.fields.scalars import FLAG, PATH, WORD, choice_of, milliseconds, number
from wgorch.inventory.fields.suggest import check_keys
from wgorch.inventory.model import CLIENTS, IPNetwork
from wgorch.inventory.nodes import Mapping, Node, Sequence
from wgorch.inventory.problems import Problems


class MappedLan:
    """A LAN; or a LAN and the network of the same size that stands for it in the tunnel."""

    kind = "a network like 10.10.13.0/24, or {lan: …, as: …}"

    @property
    def schema(self) -> Schema:
        """JSON Schema of both forms."""
        pair = {"lan": LAN.schema, "as": LAN.schema}
        mapped = {"type": "object", "additionalProperties": False, "required": ["lan", "as"], "properties": pair}
        return {"anyOf": [LAN.schema, mapped]}

    def read(self, node: Node, path: str, problems: Problems) -> tuple[IPNetwork, IPNetwork] | None:
        """Return the network in the tunnel and the LAN's own; None if a problem was added."""
        if not isinstance(node, Mapping):
            lan = LAN.read(node, path, problems)
            return None if lan is None else (lan, lan)
        check_keys(node, ("lan", "as"), path, problems)
        found: dict[str, IPNetwork | None] = {}
        for name in ("lan", "as"):
            value = node.get(name)
            if value is None:
                problems.add(node, f"{path}.{name}", "missing", "{lan: 10.10.13.0/24, as: 10.99.13.0/24}")
            found[name] = LAN.read(value, f"{path}.{name}", problems) if value is not None else None
        lan, mapped_to = found["lan"], found["as"]
        if lan is None or mapped_to is None:
            return None
        if (lan.version, lan.prefixlen) != (mapped_to.version, mapped_to.prefixlen):
            message = f"{mapped_to} is not of the same size as {lan}, so addresses cannot be mapped one to one"
            problems.add(node.get("as"), f"{path}.as", message, f"a network with /{lan.prefixlen}")
            return None
        return mapped_to, lan


MAPPED_LAN = MappedLan()


class KeySource:
    """The source of a private key: a file on the host, or a command there. Never the key itself."""

    kind = "{file: PATH}, or {command: [WORD, …]}"
    example = "{file: /etc/wireguard/key}, or {command: [pass, show, wg]}"

    @property
    def schema(self) -> Schema:
        """JSON Schema of both forms."""
        words = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        forms = ({"file": {"type": "string"}}, {"command": words})
        return {
            "anyOf": [
                {"type": "object", "additionalProperties": False, "required": list(form), "properties": form}
                for form in forms
            ]
        }

    def read(self, node: Node, path: str, problems: Problems) -> tuple[str, ...] | None:
        """Return the command that prints the key on the host; None if a problem was added."""
        if not isinstance(node, Mapping):
            fix = f"delete it; keys are generated on their host. Treat this one as leaked. A key from elsewhere: {self.example}"
            problems.add(node, path, "private keys do not belong here (value hidden)", fix, secret=True)
            return None
        check_keys(node, ("file", "command"), path, problems)
        file, words = node.get("file"), node.get("command")
        if file is not None and words is None:
            return self._file(file, f"{path}.file", problems)
        if words is not None and file is None:
            return self._command(words, f"{path}.command", problems)
        problems.add(node, path, "expected either file or command", self.example)
        return None

    def _file(self, node: Node, path: str, problems: Problems) -> tuple[str, ...] | None:
        name = PATH.read(node, path, problems)
        if name and not name.startswith("/"):
            problems.add(node, path, "expected an absolute path; the file is read on the host", self.example)
        return ("cat", name) if name else None

    def _command(self, node: Node, path: str, problems: Problems) -> tuple[str, ...] | None:
        if not isinstance(node, Sequence) or not node.items:
            problems.add(node, path, "expected a list of words", self.example)
            return None
        argv = [WORD.read(word, f"{path}[{i}]", problems) for i, word in enumerate(node.items)]
        return tuple(argv) if all(argv) else None


KEY_SOURCE = KeySource()


class PresharedKeys:
    """Whether pairs of hosts have preshared keys, and whether one may travel over a classical SSH key exchange."""

    kind = "true or false, or {over_classical: false}"

    @property
    def schema(self) -> Schema:
        """JSON Schema of both forms."""
        rule = {"over_classical": FLAG.schema}
        strict = {"type": "object", "additionalProperties": False, "required": list(rule), "properties": rule}
        return {"anyOf": [FLAG.schema, strict]}

    def read(self, node: Node, path: str, problems: Problems) -> tuple[bool, bool] | None:
        """Return both answers; None if a problem was added."""
        if not isinstance(node, Mapping):
            wanted = FLAG.read(node, path, problems)
            return None if wanted is None else (wanted, True)
        check_keys(node, ("over_classical",), path, problems)
        rule = node.get("over_classical")
        if rule is None:
            problems.add(node, f"{path}.over_classical", "missing", "{over_classical: false}")
            return None
        allowed = FLAG.read(rule, f"{path}.over_classical", problems)
        return None if allowed is None else (True, allowed)


PRESHARED_KEYS = PresharedKeys()

CLIENT = choice_of(*CLIENTS)


class SshDefaults:
    """What all hosts' `ssh` have in common."""

    kind = "{client: …}"

    @property
    def schema(self) -> Schema:
        """JSON Schema of the mapping."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["client"],
            "properties": {"client": CLIENT.schema},
        }

    def read(self, node: Node, path: str, problems: Problems) -> str | None:
        """Return the client; None if a problem was added."""
        if not isinstance(node, Mapping):
            problems.add(node, path, "expected a mapping", "{client: openssh}")
            return None
        check_keys(node, ("client",), path, problems)
        client = node.get("client")
        if client is None:
            problems.add(node, f"{path}.client", "missing", "{client: openssh}")
            return None
        found: str | None = CLIENT.read(client, f"{path}.client", problems)
        return found


SSH_DEFAULTS = SshDefaults()


class FailoverFields:
    """When a host leaves a relay that does not answer, and when it returns."""

    kind = "{interval: …, misses: …, back: …}"
    fields = {
        "interval": milliseconds(500, 30_000, "1s"),
        "misses": number(2, 20, "a number of pings", "3"),
        "back": milliseconds(5_000, 3_600_000, "60s"),
    }

    @property
    def schema(self) -> Schema:
        """JSON Schema of the mapping."""
        properties = {name: field.schema for name, field in self.fields.items()}
        return {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": properties}

    def read(self, node: Node, path: str, problems: Problems) -> Failover | None:
        """Return the values, defaults where one is left out; None if a problem was added."""
        if not isinstance(node, Mapping) or not node.items:
            problems.add(node, path, "expected a mapping", "{interval: 1s, misses: 3, back: 60s}")
            return None
        check_keys(node, self.fields, path, problems)
        usual = Failover()
        found = {"interval": usual.interval_ms, "misses": usual.misses, "back": usual.back_s * 1000}
        for name, field in self.fields.items():
            value = node.get(name)
            if value is None:
                continue
            read = field.read(value, f"{path}.{name}", problems)
            if read is None:
                return None
            found[name] = read
        return Failover(found["interval"], found["misses"], found["back"] // 1000)


FAILOVER = FailoverFields()
