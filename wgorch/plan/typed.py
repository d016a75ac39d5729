"""The commands of a plan as a person would type them: the tools' own words in the place of wgorch's functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from wgorch.base.sh import Sh, comment, here_document, quote, quote_words, sh
from wgorch.base.text import visible
from wgorch.host.library import functions, library, pieces_of
from wgorch.plan.batching import FORGET
from wgorch.plan.host import BOOT, HostPlan
from wgorch.state.change import Command
from wgorch.state.rules import tool
from wgorch.steps.members import STEP as MEMBERS
from wgorch.steps.startup import STEP as STARTUP

INSTALL = {
    "apt": ("apt-get", "install", "--no-install-recommends"),
    "dnf": ("dnf", "install"),
    "yum": ("yum", "install"),
    "zypper": ("zypper", "install"),
    "pacman": ("pacman", "-S"),
    "apk": ("apk", "add"),
    "opkg": ("opkg", "install"),
}
"""How a person installs packages, by manager."""

LASTS = (BOOT, STARTUP, MEMBERS)
"""Steps whose files wgorch writes for itself: they make a change last, and are nothing to type."""


def typed(plan: HostPlan) -> list[Sh]:
    """The commands of one host: each change with its reason, and before them what they need."""
    changes = [change for change in plan.changes if change.step not in LASTS]
    lines = [*_before(plan, {cmd.argv[0] for change in changes for cmd in change.commands})]
    for change in changes:
        lines.append(comment(f"{change.sign} {visible(change.what)}: {visible(change.why)}"))
        for cmd in change.commands:
            lines += _typed(cmd, plan)
    if own := [f"{change.sign} {change.what}" for change in plan.changes if change.step in LASTS]:
        lines.append(comment(f"{', '.join(own)}: wgorch up writes them"))
    return lines


def _before(plan: HostPlan, called: set[str]) -> Iterator[Sh]:
    """The directory, and the functions of wgorch that no tool of the host stands for."""
    own = frozenset(called & library().keys() - _WORDS.keys())
    if own or "generate_key" in called:
        place = quote(plan.want.directory)
        yield sh("umask 077; mkdir -p {place} && cd {place}", place=place)
    if own:
        yield sh("boot_id=$(cat /proc/sys/kernel/random/boot_id) {forget}", forget=FORGET)
        yield functions(pieces_of(own))


def _typed(cmd: Command, plan: HostPlan) -> Iterator[Sh]:
    word, *rest = cmd.argv
    if word in _WORDS:
        yield from _WORDS[word](rest, cmd.stdin, plan)
    else:
        yield cmd.render()


Words = Callable[[list[str], str, HostPlan], Iterator[Sh]]


def _nothing(_words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    """A record that only wgorch reads, or a check before a command."""
    yield from ()


def _sysctls(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    words = [word for word in words if word != "--"]
    for path, value in zip(words[::2], words[1::2], strict=True):
        # Only a name with slashes is clear where an interface has a dot.
        name = path if "." in path else path.replace("/", ".")
        yield quote_words(["sysctl", "-w", f"{name}={value}"])


def _make_interface(words: list[str], _stdin: str, plan: HostPlan) -> Iterator[Sh]:
    made = quote_words(["ip", "link", "add", "dev", words[0], "type", "wireguard"])
    go = "wireguard-go" in plan.want.tools
    yield sh("{made} || {go}", made=made, go=quote_words(["wireguard-go", words[0]])) if go else made


def _end_interface(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    yield quote_words(["ip", "link", "delete", "dev", words[0]])


def _clear_alias(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    yield quote_words(["ip", "link", "set", "dev", words[0], "alias", ""])


def _generate_key(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    yield sh("wg genkey >{file}", file=quote(words[0]))


def _set_key(words: list[str], _stdin: str, plan: HostPlan) -> Iterator[Sh]:
    interface, _tag, *rest = words
    yield quote_words(["wg", "set", interface, "private-key", plan.want.key_file, *rest])


def _named_endpoint(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    interface, key, endpoint = words
    yield quote_words(["wg", "set", interface, "peer", key, "endpoint", endpoint])


def _ensure_chain(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    for table, chain in zip(words[::2], words[1::2], strict=True):
        yield sh("{line} 2>/dev/null", line=quote_words([tool(table), "-t", table.removesuffix("6"), "-N", chain]))


def _remove_jump(words: list[str], _stdin: str, plan: HostPlan) -> Iterator[Sh]:
    for table, parent, mark, name in zip(*(iter(words),) * 4, strict=True):
        there = (places for chain, places in plan.have.jumps.items() if (chain.table, chain.name) == (table, name))
        line = [tool(table), "-t", table.removesuffix("6"), "-D", parent]
        for _ in range(sum(map(len, there))):
            yield quote_words([*line, "-m", "comment", "--comment", mark, "-j", name])


def _restate_chain(words: list[str], stdin: str, plan: HostPlan) -> Iterator[Sh]:
    table, parent, mark, name, *places = words
    there = sum(len(its) for chain, its in plan.have.jumps.items() if (chain.table, chain.name) == (table, name))
    jumping = f"-m comment --comment {mark} -j {name}"
    lines = [f"*{table.removesuffix('6')}", f":{name} - [0:0]", *([stdin] if stdin else [])]
    lines += [f"-D {parent} {jumping}"] * there
    lines += [f"-I {parent} {int(place) + above} {jumping}" for above, place in enumerate(places)]
    yield here_document(quote_words([f"{tool(table)}-restore", "--noflush"]), "\n".join([*lines, "COMMIT"]))


def _load_rules(_words: list[str], stdin: str, plan: HostPlan) -> Iterator[Sh]:
    yield here_document(quote_words(["nft", "-f", "-"]), stdin)
    yield quote_words(["rm", "-f", f"{plan.want.directory}/nft.loaded"])


def _write_file(words: list[str], stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    path, mode = words
    yield here_document(quote_words(["install", "-D", "-m", mode, "/dev/stdin", path]), stdin)


def _policy_rule(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    family, priority, *rest = words
    yield quote_words(["ip", family, "rule", "add", "priority", priority, *rest])


def _no_policy_rule(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    family, priority, *_ = words
    yield quote_words(["ip", family, "rule", "delete", "priority", priority, "protocol", "119"])


def _nexthop(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    family, number, interface, *_ = words
    yield quote_words(["ip", family, "nexthop", "replace", "id", number, "dev", interface, "proto", "119"])


def _detour_rule(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    family, *rule = words
    yield quote_words(["ip", family, "rule", "add", *rule])


def _no_detour_rule(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    family, *rule = words
    yield quote_words(["ip", family, "rule", "delete", *rule])


def _install(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    manager, *packages = words
    yield quote_words([*INSTALL.get(manager, (manager, "install")), *packages])


def _firewalld(words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    yield quote_words(["firewall-cmd", *words])


def _reload_firewalld(_words: list[str], _stdin: str, _plan: HostPlan) -> Iterator[Sh]:
    yield quote_words(["firewall-cmd", "--reload"])


_WORDS: Mapping[str, Words] = {
    "note_table": _nothing,
    "note_chain": _nothing,
    "may_reload": _nothing,
    "restate_chain": _restate_chain,
    "track_connections": _nothing,
    "end_rules": _nothing,
    "load_rules": _load_rules,
    "set_value": _sysctls,
    "write_sysctl": _sysctls,
    "make_interface": _make_interface,
    "end_interface": _end_interface,
    "clear_alias": _clear_alias,
    "generate_key": _generate_key,
    "set_key": _set_key,
    "set_named_endpoint": _named_endpoint,
    "ensure_chain": _ensure_chain,
    "remove_jump": _remove_jump,
    "write_file": _write_file,
    "set_policy_rule": _policy_rule,
    "delete_policy_rule": _no_policy_rule,
    "set_nexthop": _nexthop,
    "set_detour_rule": _detour_rule,
    "delete_detour_rule": _no_detour_rule,
    "install_packages": _install,
    "firewalld_set": _firewalld,
    "firewalld_unset": _firewalld,
    "reload_firewalld": _reload_firewalld,
}
"""What a person types in the place of a function; one that is not here is printed with its text."""
