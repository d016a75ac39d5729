"""The command line's verbs: what each reads, shows and ends with; what it does stands in workflow."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from wgorch.cli.parser import build_parser
from wgorch.errors import BAD_INPUT, DONE, FAULT, INTERRUPTED, UsageError, WgorchError
from wgorch.memory import find_inventory

if TYPE_CHECKING:
    from rich.console import Console

    from wgorch.inventory.model import Host, Inventory
    from wgorch.plan.host import HostPlan
    from wgorch.run import Run
    from wgorch.topology.topology import Topology


def _load(args: argparse.Namespace) -> Inventory:
    from wgorch.inventory.load import load

    path, how = find_inventory(args.inventory)
    inventory = load(path)
    if any(len(host.given) < len(inventory.network.subnets) for host in inventory.members.values()):
        from wgorch.inventory.assign import assign
        from wgorch.memory import addresses_had

        inventory = assign(inventory, addresses_had(inventory))
    if how and not getattr(args, "quiet", False):
        sys.stderr.write(f"inventory: {path} ({how})\n")
    for warning in inventory.warnings:
        sys.stderr.write(f"{warning}\n")
    return inventory


def _stderr() -> Console:
    from wgorch.report.console import console

    return console(stderr=True)


# --- verbs


def check(args: argparse.Namespace, out: Console) -> int:
    from wgorch.plan.playbook import load_all
    from wgorch.topology.path import unreachable_flows
    from wgorch.topology.topology import build

    if args.schema:
        import json

        from wgorch.inventory.schema import json_schema

        sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
        return DONE
    inventory = _load(args)
    load_all(inventory.path, getattr(args, "playbooks", None), frozenset(inventory.hosts))
    topology = build(inventory)
    wrong = unreachable_flows(topology)
    if args.json:
        import json

        told = {"version": 2, "ok": not wrong, "hosts": len(inventory.hosts), "unreachable_flows": wrong}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return BAD_INPUT if wrong else DONE
    for line in wrong:
        sys.stderr.write(f"{inventory.path}: error: {line}\n")
    if not wrong:
        flows = len(inventory.verify)
        sys.stdout.write(f"{inventory.path}: good: {len(inventory.hosts)} hosts, {flows} flows have a way\n")
    return BAD_INPUT if wrong else DONE


def _topology(inventory: Inventory) -> Topology:
    """The ways of a network whose flows can work; what cannot, whatever the hosts are like, is refused here."""
    from wgorch.errors import InventoryError
    from wgorch.topology.path import unreachable_flows
    from wgorch.topology.topology import build

    topology = build(inventory)
    if wrong := unreachable_flows(topology):
        raise InventoryError([f"{inventory.path}: error: {line}" for line in wrong])
    return topology


def _operation(args: argparse.Namespace, out: Console) -> tuple[Run, Any]:
    from wgorch.journal import Journal
    from wgorch.plan.playbook import load_all
    from wgorch.report.progress import Progress, log_to_stderr
    from wgorch.run import Run, RunOptions, check_names

    inventory = _load(args)
    playbooks = load_all(inventory.path, getattr(args, "playbooks", None), frozenset(inventory.hosts))
    topology = _topology(inventory) if args.verb in ("plan", "up", "rotate-key") else None
    limit = frozenset(args.limit.split(",")) if getattr(args, "limit", None) else frozenset()
    check_names(inventory, sorted(limit))
    import secrets

    journal = Journal(inventory.network.name, secrets.token_hex(4))
    journal.write("begin", verb=args.verb, inventory=inventory.path)
    names = [n for n in inventory.hosts if not limit or n in limit]
    quiet = args.quiet or args.json or (args.verb not in ("up", "rotate-key", "teardown", "verify"))
    progress = Progress(_stderr() if args.json else out, names, journal, quiet=quiet, verbose=args.verbose)
    log: Any = log_to_stderr(args.verbose)
    fleet = _fleet(args, inventory, log)
    args.clocks = [*getattr(args, "clocks", []), fleet.clock]
    accepted = check_names(inventory, getattr(args, "accept_new_key", []))
    renewed = check_names(inventory, args.hosts if args.verb == "rotate-key" else [])
    for name in renewed:
        if source := inventory.hosts[name].private_key:
            raise UsageError(
                f"the key of {name} comes from {' '.join(source)}\n    fix: change it there, then wgorch up"
            )
    options = RunOptions(
        limit,
        accepted,
        renewed,
        redo_mtu=getattr(args, "find_mtu", False),
        try_direct=getattr(args, "try_direct", False),
        may_lose_ssh=getattr(args, "accept_risk", None) == "lose-ssh",
        adopt=getattr(args, "adopt", False),
    )
    operation = Run(inventory, fleet, progress, playbooks, options, topology)
    return operation, progress


def _password(args: argparse.Namespace) -> Any:
    """sudo's password, where it is given or is to be asked for; once for the whole run."""
    from wgorch.remote.root import password_from

    def ask(prompt: str) -> str:
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to ask for sudo's password\n    fix: WGORCH_SUDO_PASSWORD, or a keyring")
        import getpass

        return getpass.getpass(prompt)

    if not hasattr(args, "sudo_password"):
        args.sudo_password = password_from(ask if getattr(args, "ask_sudo_password", False) else None)
    return args.sudo_password


def _fleet(args: argparse.Namespace, inventory: Inventory, log: Any) -> Any:
    """The sessions: from here, or on the workers of a cluster."""
    from wgorch.remote.fleet import Fleet

    workers = getattr(args, "workers", None)
    password = _password(args)
    if workers is None:
        return Fleet(inventory.hosts, log, password)
    if password:
        raise UsageError("sudo's password would travel to the workers\n    fix: a user who needs none")
    if inventory.network.preshared_keys and not workers.startswith("tls://"):
        raise UsageError("preshared keys would travel to the workers in the clear\n    fix: --workers tls://…")
    from wgorch.remote.cluster import ClusterFleet

    return ClusterFleet(inventory.hosts, workers, log)


def plan(args: argparse.Namespace, out: Console) -> int:
    from wgorch import workflow
    from wgorch.report import as_json
    from wgorch.report import plan as report_plan

    operation, _ = _operation(args, out)
    try:
        outcome = workflow.plan(operation)
    finally:
        operation.fleet.close()
    if args.json or args.format == "json":
        as_json.print_json(out, as_json.plan_json(outcome.plans))
    elif args.format == "shell":
        sys.stdout.write(report_plan.shell_plan(outcome.plans))
    elif not args.quiet or outcome.code:
        report_plan.render_plan(out, outcome.plans)
    return outcome.code


def _consent(
    args: argparse.Namespace, out: Console, progress: Any, verb: str, removed: Mapping[str, Host] | None = None
) -> Callable[[Mapping[str, HostPlan]], bool]:
    def ask(plans: Mapping[str, HostPlan]) -> bool:
        from wgorch.outcome import Declined

        progress.stop()
        if not args.quiet and not args.json:
            from wgorch.report import plan as report_plan

            report_plan.render_plan(out, plans, verb)
            for name, host in (removed or {}).items():
                out.print(
                    f"- host {name} ({host.ssh}): no longer in the inventory; it is taken down after its peers dropped it"
                )
        changes = bool(removed) or any(p.changes for p in plans.values())
        foreign = verb == "teardown" and any(note.foreign for p in plans.values() for note in p.notes)
        gentle = verb == "up" and not removed and not any(p.disruptive for p in plans.values())
        if not changes or args.yes or (gentle and not foreign):
            progress.resume()
            return False
        what = "take all of this away" if verb == "teardown" else "make these changes, some of which disturb what runs"
        if not sys.stdin.isatty():
            raise Declined(
                f"this plan would {what}, and nobody is there to ask\n    fix: look at the plan above, then add --yes"
            )
        answer = input(f"wgorch: {what}? [y/N] ").strip().lower()
        if answer not in ("y", "yes"):
            raise Declined("not done: declined")
        progress.resume()
        return True

    return ask


def up(args: argparse.Namespace, out: Console) -> int:
    from wgorch import workflow
    from wgorch.memory import remember, removed_since

    _check_lease(args)
    operation, progress = _operation(args, out)
    removed = {} if operation.options.limit else removed_since(operation.inventory)
    try:
        with progress:
            outcome = workflow.up(
                operation,
                _consent(args, out, progress, "up", removed),
                lease_s=args.confirm_timeout,
                keep_going=args.keep_going,
            )
    finally:
        operation.fleet.close()
    orphans = _take_down_removed(removed, operation, args, out) if removed and outcome.code == DONE else removed
    if outcome.code == DONE:
        remember(operation.inventory, orphans)
        if args.quiet and not args.json:
            return DONE
    from wgorch.report import as_json
    from wgorch.report import verdict as report_verdict
    # late: nobody who is told nothing waits for what draws

    if args.json:
        told = as_json.plan_json(outcome.plans) | {"exit_code": outcome.code}
        told["host_states"] = {n: {"state": s.state, "reason": s.why} for n, s in outcome.standing.items()}
        told["errors"] = [str(e) for e in outcome.failed]
        told["orphans"] = sorted(orphans)
        told["round_trips"] = outcome.exchanges
        told["ssh_handshakes"] = outcome.handshakes
        told["direct_peers"] = [
            {"hosts": [t.one, t.other], "direct": not t.why, "reason": t.why} for t in outcome.tried
        ]
        if outcome.verdict:
            told["verdict"] = as_json.verdict_json(outcome.verdict)
        as_json.print_json(out, told)
        return outcome.code
    if outcome.verdict and (not args.quiet or not outcome.verdict.works):
        report_verdict.render_verdict(out, operation.topology, outcome.verdict)
    report_verdict.render_outcome(out, outcome, "up")
    if not args.quiet:
        changes = sum(len(p.changes) for p in outcome.plans.values())
        for pair in outcome.tried:
            how = f"stays on the relay: {pair.why}" if pair.why else "without the relay now"
            out.print(f"{pair.one} <-> {pair.other}: {how}", style="yellow" if pair.why else "green")
        if outcome.code == DONE and changes:
            out.print(f"✓ up: {changes} changes on {len(outcome.plans)} hosts, confirmed", style="green")
            out.print("next: wgorch status, wgorch verify; wgorch teardown gives everything back", style="dim")
        elif outcome.code == DONE:
            out.print("nothing to do; wgorch verify measures the network", style="dim")
    if outcome.code:
        _stderr().print(_ending(outcome.code), style="red")
    return outcome.code


def _take_down_removed(
    removed: Mapping[str, Host], operation: Run, args: argparse.Namespace, out: Console
) -> dict[str, Host]:
    """Hosts that left the inventory, now that no peer knows them any more; those not reached stay listed as orphans."""
    from wgorch import workflow
    from wgorch.errors import HostsFailed
    from wgorch.inventory.model import Inventory
    from wgorch.run import Run

    orphans: dict[str, Host] = {}
    for name, host in removed.items():
        old = Inventory(operation.inventory.path, operation.network, {name: host})
        there = Run(old, _fleet(args, old, None), operation.listener, operation.playbooks)
        try:
            outcome = workflow.teardown(there, lambda _plans: None, lease_s=args.confirm_timeout)
            if outcome.code == DONE:
                if not args.quiet and not args.json:
                    out.print(f"✓ {name} left the inventory: no host knows it any more, and it is as it was before")
                continue
        except HostsFailed as error:
            if not args.json:
                _stderr().print(
                    f"orphan: {name} ({host.ssh}) left the inventory; no host knows it any more, but: {error}"
                )
        finally:
            there.fleet.close()
        orphans[name] = host
    return orphans


def _ending(code: int) -> str:
    return {
        5: "wgorch: failed, and everything was taken back",
        6: "wgorch: failed, and NOT every host is as before; see above, then run `wgorch up` or `wgorch status` again",
    }.get(code, "wgorch: failed")


def _check_lease(args: argparse.Namespace) -> None:
    if not 10 <= args.confirm_timeout <= 300:
        raise UsageError("--confirm-timeout is a number of seconds from 10 to 300")


def teardown(args: argparse.Namespace, out: Console) -> int:
    _check_lease(args)
    if args.host:
        return max(
            (_teardown_of(operation, progress, args, out) for operation, progress in _found_on_hosts(args, out)),
            default=DONE,
        )
    return _teardown_of(*_operation(args, out), args, out)


def _teardown_of(operation: Run, progress: Any, args: argparse.Namespace, out: Console) -> int:
    from wgorch import workflow
    from wgorch.report import as_json
    from wgorch.report import verdict as report_verdict

    try:
        with progress:
            outcome = workflow.teardown(
                operation,
                _consent(args, out, progress, "teardown"),
                lease_s=args.confirm_timeout,
                purge=args.purge,
                packages=args.packages,
            )
    finally:
        operation.fleet.close()
    if args.json:
        told = as_json.plan_json(outcome.plans) | {"exit_code": outcome.code}
        told["host_states"] = {n: {"state": s.state, "reason": s.why} for n, s in outcome.standing.items()}
        as_json.print_json(out, told)
        return outcome.code
    report_verdict.render_outcome(out, outcome, "teardown")
    if outcome.code == DONE and not args.quiet and outcome.standing:
        out.print("✓ every host is as it was before", style="green")
        kept = [] if args.packages else ["installed packages (--packages takes them)"]
        kept += [] if args.purge else ["the private keys (--purge takes them)"]
        if kept:
            out.print(f"kept: {' and '.join(kept)}", style="dim")
    if outcome.code:
        _stderr().print(_ending(outcome.code), style="red")
    return outcome.code


def _found_on_hosts(args: argparse.Namespace, out: Console) -> list[tuple[Run, Any]]:
    """For teardown without an inventory: each network of ours on the hosts named, as the hosts themselves tell it."""
    from wgorch.interop.discover import discover
    from wgorch.inventory.model import Host, Inventory, Network
    from wgorch.inventory.targets import ssh_target
    from wgorch.plan.playbook import load_all
    from wgorch.remote.fleet import Fleet
    from wgorch.report.progress import Progress, log_to_stderr
    from wgorch.run import Run

    playbooks = load_all("", args.playbooks)
    hosts = {text: Host(text, ssh_target(text), (), 0) for text in args.host}
    log: Any = log_to_stderr(args.verbose)
    password = _password(args)
    looking = Fleet(hosts, log, password)
    try:
        found, failed = looking.on_hosts(hosts, lambda name: discover(looking, name))
    finally:
        looking.close()
    if failed:
        from wgorch.errors import HostsFailed

        raise HostsFailed(list(failed.values()))
    networks = sorted({network for networks in found.values() for network in networks}, key=lambda n: n.name)
    if not networks:
        out.print("0 changes: nothing of ours is there")
    operations = []
    for network in networks:
        here = {name: hosts[name] for name in hosts if network in found[name]}
        anything = Network(network.name, (), network.interface, ipv6=True)
        inventory = Inventory("", anything, here)
        progress = Progress(out, list(here), quiet=args.quiet or args.json, verbose=args.verbose)
        operations.append((Run(inventory, Fleet(here, log, password), progress, playbooks), progress))
    return operations


def verify(args: argparse.Namespace, out: Console) -> int:
    from wgorch import workflow
    from wgorch.report import as_json
    from wgorch.report import verdict as report_verdict

    operation, progress = _operation(args, out)
    try:
        with progress:
            outcome = workflow.verify(operation)
    finally:
        operation.fleet.close()
    assert outcome.verdict is not None
    if args.json:
        as_json.print_json(out, as_json.verdict_json(outcome.verdict))
    elif not args.quiet or outcome.code:
        report_verdict.render_verdict(out, operation.topology, outcome.verdict)
    return outcome.code


def status(args: argparse.Namespace, out: Console) -> int:
    from wgorch import workflow
    from wgorch.report import as_json
    from wgorch.report import status as report_status

    args.quiet = args.quiet or args.prometheus is not None
    operation, _ = _operation(args, out)
    try:
        if args.watch is not None:
            from wgorch.report.watch import watch

            watch(out, lambda: (operation.topology, workflow.status(operation)), args.watch)
            return DONE
        found = workflow.status(operation)
    finally:
        operation.fleet.close()
    if args.prometheus is not None:
        from wgorch.report import prometheus

        text = prometheus.exposition(operation.topology, found)
        if args.prometheus == "-":
            sys.stdout.write(text)
        else:
            prometheus.write(text, Path(args.prometheus))
        return found.code
    if args.json:
        as_json.print_json(out, as_json.status_json(operation.topology, found), frozenset(found.keys.values()))
    elif not args.quiet or found.code:
        report_status.render_status(out, operation.topology, found)
    return found.code


def export(args: argparse.Namespace, out: Console) -> int:
    from wgorch import workflow
    from wgorch.report import files

    if args.what and args.inventory is None and Path(args.what).suffix in (".yaml", ".yml"):
        args.what, args.inventory = None, args.what
    args.verbose, args.json, args.quiet = 0, False, True
    operation, _ = _operation(args, out)
    try:
        made = workflow.export(operation, args.what, args.format)
    finally:
        operation.fleet.close()
    for line in made.notes:
        sys.stderr.write(f"{line}\n")
    if args.qr or (args.output and args.output.suffix in (".png", ".svg")):
        files.render_qr_code(made.only, args.output, sys.stdout)
    elif args.output:
        files.write(made.texts, args.output)
    else:
        sys.stdout.write("\n".join(made.texts.values()))
    return DONE


def draw_map(args: argparse.Namespace, out: Console) -> int:
    from wgorch.report import files
    from wgorch.report.map.map import Map

    if args.output.suffix not in (".svg", ".html"):
        raise UsageError(f"{args.output} is neither .svg nor .html\n    fix: -o network.svg, or -o network.html")
    if args.offline:
        from wgorch.topology.topology import build

        drawn = Map(build(_load(args)))
    else:
        from wgorch import workflow

        args.verbose, args.json, args.quiet = 0, False, True
        operation, _ = _operation(args, out)
        try:
            status = workflow.status(operation)
            verdict = workflow.measured(operation)
        finally:
            operation.fleet.close()
        drawn = Map(operation.topology, status, verdict)
    text = drawn.html() if args.output.suffix == ".html" else drawn.svg()
    files.write_text(text, args.output)
    out.print(f"✓ {args.output}: {len(drawn.members)} members, {len(drawn.edges)} tunnels")
    return DONE


def _ask_to_send(what: str) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def trace(args: argparse.Namespace, out: Console) -> int:
    from wgorch.report import as_json, files
    from wgorch.report import trace as report_trace
    from wgorch.trace import follow

    args.verbose, args.quiet = 0, args.json
    protocol, port = next(((p, n) for p, n in (("tcp", args.tcp), ("udp", args.udp)) if n is not None), ("icmp", 0))
    if protocol != "icmp" and not 0 < port < 65536:
        raise UsageError(f"{port} is not a port\n    fix: a number 1-65535")
    operation, _ = _operation(args, out)
    try:
        found = follow.trace(
            operation, args.source, args.target, protocol, port, pcap=bool(args.pcap), ask=_ask_to_send
        )
    finally:
        operation.fleet.close()
    if args.pcap:
        files.write_packets({name: seen.packets for name, seen in found.seen.items()}, args.pcap)
    if args.json:
        as_json.print_json(out, as_json.trace_json(found), frozenset(operation.keys.values()))
    else:
        report_trace.render_trace(out, found)
    return DONE if found.arrives else FAULT


def doctor(args: argparse.Namespace, out: Console) -> int:
    from wgorch import workflow
    from wgorch.report import as_json
    from wgorch.report import verdict as report_verdict
    from wgorch.run import check_names

    args.verbose, args.quiet = 0, args.json
    operation, _ = _operation(args, out)
    names = sorted(check_names(operation.inventory, args.hosts)) or list(operation.inventory.hosts)
    try:
        found = workflow.examine(operation, names)
    finally:
        operation.fleet.close()
    if args.json:
        as_json.print_json(out, as_json.findings_json(found))
    else:
        report_verdict.render_findings(out, found)
    return FAULT if any(finding.hint for findings in found.values() for finding in findings) else DONE


def rehearse(args: argparse.Namespace, out: Console) -> int:
    from wgorch.rehearsal import rehearse as rehearsal
    from wgorch.rehearsal.cleanup import sweep
    from wgorch.rehearsal.machine import WorldError

    inventory = _load(args)
    _topology(inventory)
    if os.geteuid() != 0:
        raise UsageError("a rehearsal builds network namespaces, which needs root\n    fix: sudo wgorch rehearse …")
    try:
        if args.enter:
            rehearsal.enter(inventory, args.enter[0], args.enter[1:])
        if args.end:
            sweep(rehearsal.name_for(inventory))
            return DONE
        return DONE if rehearsal.rehearse(inventory, hard_nat=args.hard_nat, keep=args.keep) else FAULT
    except WorldError as error:
        raise UsageError(f"{inventory.path}: it cannot be rehearsed here: {error}") from None


def init(args: argparse.Namespace, out: Console) -> int:
    from wgorch.cli import init
    from wgorch.remote.fleet import Fleet

    if args.output.exists():
        raise UsageError(f"{args.output} is there already\n    fix: -o another.yaml, or take it away")
    asks = sys.stdin.isatty() and not args.yes
    texts = init.machines(out, args.hosts, args.from_ansible, args.from_ssh_config, asks=asks)
    hosts = init.targets(texts)
    fleet = Fleet(hosts, None, _password(args))
    try:
        init.init(out, fleet, args.name, args.output, asks=asks)
    finally:
        fleet.close()
    return DONE


def adopt(args: argparse.Namespace, out: Console) -> int:
    from wgorch import workflow
    from wgorch.inventory.load import loads
    from wgorch.inventory.model import Host
    from wgorch.inventory.targets import network_name, ssh_target
    from wgorch.remote.fleet import Fleet
    from wgorch.report import files

    if args.output and args.output.exists():
        raise UsageError(f"{args.output} is there already\n    fix: another name, or take it away")
    network_name(args.name)
    hosts = {text: Host(text, ssh_target(text), (), 0) for text in args.hosts}
    fleet = Fleet(hosts, None, _password(args))
    try:
        made = workflow.adopt(fleet, args.interface, args.name)
    finally:
        fleet.close()
    for note in made.notes:
        sys.stderr.write(f"note: {note}\n")
    if args.output is None:
        sys.stdout.write(made.text)
    else:
        files.write_text(made.text, args.output)
    loads(made.text, str(args.output or "inventory.yaml"))  # what is still to be filled in is told now
    if args.output is None:
        return DONE
    out.print(f"✓ written: {args.output}\nnext: wgorch plan {args.output} --adopt; wgorch up {args.output} --adopt")
    return DONE


def completion(args: argparse.Namespace, out: Console) -> int:
    from argcomplete.shell_integration import shellcode

    sys.stdout.write(shellcode(["wgorch"], shell=args.shell) + "\n")
    return DONE


def trust(args: argparse.Namespace, out: Console) -> int:
    from wgorch.remote.fleet import Fleet
    from wgorch.run import check_names

    inventory = _load(args)
    check_names(inventory, [args.host])
    fleet = Fleet(inventory.hosts)
    try:
        from wgorch.cli.trust import trust_host

        return trust_host(fleet, args.host, yes=args.yes, out=out)
    finally:
        fleet.close()


VERBS: dict[str, Callable[[argparse.Namespace, Any], int]] = {
    "check": check,
    "plan": plan,
    "up": up,
    "status": status,
    "verify": verify,
    "teardown": teardown,
    "rotate-key": up,
    "trust": trust,
    "rehearse": rehearse,
    "export": export,
    "trace": trace,
    "doctor": doctor,
    "init": init,
    "adopt": adopt,
    "map": draw_map,
    "completion": completion,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    parser = build_parser()
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)
    args = parser.parse_args(argv)
    if not args.verb:
        parser.print_help()
        return DONE
    out: Any = None
    if args.verb != "check":
        from wgorch.report.console import LazyConsole

        out = LazyConsole()
    try:
        code = VERBS[args.verb](args, out)
        if getattr(args, "profile", False):
            from wgorch.report.timings import render_profile

            render_profile(_stderr(), args.clocks)
        return code
    except WgorchError as error:
        sys.stderr.write(
            f"{error}\n" if error.exit_code == BAD_INPUT and "error:" in str(error) else f"wgorch: {error}\n"
        )
        return error.exit_code
    except (KeyboardInterrupt, EOFError):  # Ctrl-C, or Ctrl-D at a question
        sys.stderr.write("wgorch: interrupted; nothing was changed\n")
        return INTERRUPTED
    except BrokenPipeError:
        return FAULT


def run() -> NoReturn:
    """The console script: no traceback for people, and no waiting for idle SSH threads."""
    os.umask(0o077)
    gc.set_threshold(50_000, 20, 100)  # a run is short and keeps nearly all that it makes: a tenth less time
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
