"""Rules for devices."""

from __future__ import annotations

from wgorch.inventory.rules.review import Review


def devices(review: Review) -> None:
    """Devices have a name and a key of their own, and a host that they can connect to."""
    inventory = review.inventory
    keys: dict[str, str] = {}
    for name, device in inventory.devices.items():
        path = f"devices.{name}"
        if name in inventory.hosts:
            review.add(path, f"there is a host of that name ({review.where(f'hosts.{name}')})", "another name")
        if device.chosen_relay and not (
            device.chosen_relay in inventory.hosts and inventory.hosts[device.chosen_relay].relay
        ):
            relays = ", ".join(n for n, host in inventory.hosts.items() if host.relay) or "relay: true under a host"
            review.add(f"{path}.relay", f"{device.chosen_relay} is no relay", f"one of: {relays}")
        twin = keys.setdefault(device.public_key, name) if device.public_key else name
        if twin != name:
            message = f"is also the key of devices.{twin} ({review.where(f'devices.{twin}.public_key')})"
            review.add(f"{path}.public_key", message, "a key of its own; delete one of the two")
    for name, device in inventory.devices.items():
        if not any(host.endpoint or host.ways_for(device) for host in inventory.hosts.values()):
            message = "no host has an endpoint that a device could connect to"
            review.add(f"devices.{name}", message, "endpoint: under a public host")
            break
