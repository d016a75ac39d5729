"""`wgorch trace`: follow one packet through the network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wgorch.cli.options import Options, host_argument, inventory_argument, json_option, login_options
from wgorch.errors import ABSENT, DONE, FAULT, UsageError

SUMMARY = "Trace a packet hop by hop; report where and why it is dropped"
EXAMPLES = ("wgorch trace home 10.10.13.61", "wgorch trace home company --tcp 443")


class TraceOptions(Options):
    """Options of `wgorch trace`."""

    source: str
    target: str
    tcp: int | None
    udp: int | None
    pcap: Path | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    sources = "sending host; or a device or LAN machine, from which you send by hand"
    host_argument(parser, "source", help=sources)
    host_argument(parser, "target", help="host, device, or address in a subnet")
    inventory_argument(parser)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--tcp", metavar="PORT", type=int, help="send a TCP SYN to PORT instead of a ping")
    kind.add_argument("--udp", metavar="PORT", type=int, help="send a UDP packet to PORT instead of a ping")
    parser.add_argument("--pcap", metavar="DIR", type=Path, help="save the packets of each host as DIR/HOST.pcap")
    json_option(parser)
    login_options(parser)


def run(options: TraceOptions) -> int:
    """Send the packet, capture it on every host of its path, and print where it went."""
    from wgorch.cli.context import open_run
    from wgorch.report import as_json, files
    from wgorch.report.trace import render_trace
    from wgorch.trace import follow

    protocol, port = _probe(options)
    with open_run(options, quiet=options.json) as context:
        run, pcap = context.run, options.pcap is not None
        if sys.stderr.isatty() and not options.json:
            sys.stderr.write(
                f"tracing {options.source} -> {options.target}: captures on every host for some seconds …\n"
            )
        trace = follow.trace(run, options.source, options.target, protocol, port, pcap=pcap, ask=_ask_to_send)
        if options.pcap:
            files.write_packets({name: capture.packets for name, capture in trace.captures.items()}, options.pcap)
        if options.json:
            as_json.print_json(context.out, as_json.trace_json(trace), frozenset(run.keys.values()))
        else:
            render_trace(context.out, trace)
    return FAULT if not trace.arrives else ABSENT if trace.absent else DONE


def _probe(options: TraceOptions) -> tuple[str, int]:
    """The protocol and port of the packet; a ping has port 0. Raises UsageError."""
    given = [(name, port) for name, port in (("tcp", options.tcp), ("udp", options.udp)) if port is not None]
    if not given:
        return "icmp", 0
    protocol, port = given[0]
    if not 0 < port < 65536:
        raise UsageError(f"{port} is not a port", "a number from 1 to 65535")
    return protocol, port


def _ask_to_send(command: str) -> None:
    sys.stderr.write(f"{command}\n")
    sys.stderr.flush()
