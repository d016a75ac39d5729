"""Ways of logging in that OpenSSH has: what each needs on the controller, and of the server."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from tests.lab.conftest import Lab

SK = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so"

INVENTORY = """\
network: {name: kinds, subnet: 192.168.2.0/24}
hosts:
  home: {ssh: box, endpoint: "192.0.2.1:51820"}
"""

BOX = "Host box\n  HostName 192.168.0.9\n  Port 2222\n  User root\n"

AGENT = "rm -f /run/agent.sock; ssh-agent -a /run/agent.sock -P '/usr/*' >/run/agent.env\n"
HELD = f"{AGENT}SSH_AUTH_SOCK=/run/agent.sock ssh-add -q /root/.ssh/id_ed25519\n"
MOVED = f"{HELD}mv /root/.ssh/id_ed25519 /root/.ssh/away; rm -f /root/.ssh/id_ed25519.pub\n"
SK_KEY = f"{AGENT}ssh-keygen -q -t ed25519-sk -w {SK} -N '' -f /root/.ssh/token </dev/null\n"
SK_HELD = f"{SK_KEY}SSH_AUTH_SOCK=/run/agent.sock SSH_SK_PROVIDER={SK} ssh-add -q -S {SK} /root/.ssh/token\n"
CA = "ssh-keygen -q -t ed25519 -N '' -f /run/ca; "
HOST_CA = "cat /run/ca.pub | sed 's/^/@cert-authority [192.168.0.9]:2222 /' >/root/.ssh/known_hosts"
NO_KNOWN = ": >/root/.ssh/known_hosts"


class Kind(NamedTuple):
    """One way of logging in.

    `box`: lines of the host's block; `files`: others in ~/.ssh, the key `config` before the block; `here`: sh on the
    controller; `server`: options of sshd; `there`: sh on the host; `accepted`: what ssh answers; `differs`: why wgorch
    answers otherwise, empty where it must not.
    """

    name: str
    box: str = ""
    files: dict[str, str] = {}
    here: str = ""
    server: str = ""
    there: str = ""
    accepted: bool = True
    differs: str = ""
    agent: bool = False


def host_certificate(*options: str, ca: str = "ed25519") -> str:
    """sh on home: a certificate for its second sshd's key, by an authority that the controller has as /run/ca.pub."""
    words = shlex.join(options)
    return (
        f"rm -f /run/ca /run/ca.pub; ssh-keygen -q -t {ca} -N '' -f /run/ca;"
        " cp /etc/ssh/world_host_key.pub /run/host.pub;"
        f" ssh-keygen -q -s /run/ca -I box -h {words} /run/host.pub"
    )


CERTIFIED = "HostCertificate=/run/host-cert.pub"
WRONG = "ssh-keygen -q -t ed25519 -N '' -f /run/other; sed 's/^/[192.168.0.9]:2222 /' /run/other.pub >/root/.ssh/known_hosts"

KINDS = [
    Kind("plain"),
    Kind(
        "Include",
        files={"config": "Include conf.d/*\n", "conf.d/box": BOX},
        here="sed -i '/^Host box/,$d' /root/.ssh/config",
    ),
    Kind("Match host", files={"config": "Match host 192.0.2.7\n  User nobody\n"}),
    Kind(
        "Match originalhost and exec",
        files={"config": 'Match originalhost box exec "test %n = box"\n  IdentityFile ~/.ssh/moved\n'},
        here="mv /root/.ssh/id_ed25519 /root/.ssh/moved",
    ),
    Kind(
        "Match final all",
        files={"config": "Match final all\n  IdentityFile ~/.ssh/moved\nHost *\n"},
        here="mv /root/.ssh/id_ed25519 /root/.ssh/moved",
    ),
    Kind("IdentityAgent none", "  IdentityAgent none\n"),
    Kind("IdentityAgent SOCK", "  IdentityAgent /run/agent.sock\n", here=MOVED),
    Kind(
        "IdentityAgent with FIDO keys",
        "  IdentityAgent /run/agent.sock\n",
        here=f"{SK_HELD}rm /root/.ssh/id_ed25519",
        there="token",
    ),
    Kind("FIDO keys in SSH_AUTH_SOCK", here=f"{SK_HELD}rm /root/.ssh/id_ed25519", there="token", agent=True),
    Kind(
        "FIDO key file named, the agent signs",
        "  IdentityFile ~/.ssh/token\n  IdentitiesOnly yes\n",
        here=SK_HELD,
        there="token",
        agent=True,
    ),
    Kind(
        "FIDO key file without an agent",
        f"  IdentityFile ~/.ssh/token\n  IdentitiesOnly yes\n  SecurityKeyProvider {SK}\n",
        here=SK_KEY,
        there="token",
    ),
    Kind(
        "IdentityFile KEY.pub",
        "  IdentityFile ~/.ssh/mine.pub\n  IdentitiesOnly yes\n",
        here=f"ssh-keygen -yf /root/.ssh/id_ed25519 >/root/.ssh/mine.pub; {MOVED}",
        agent=True,
    ),
    Kind("a key in an agent only", here=MOVED, agent=True),
    Kind(
        "an encrypted key that the agent holds",
        here=f"{HELD}ssh-keygen -q -p -P '' -N secret -f /root/.ssh/id_ed25519",
        agent=True,
    ),
    Kind(
        "an encrypted key, no terminal",
        here="ssh-keygen -q -p -P '' -N secret -f /root/.ssh/id_ed25519",
        accepted=False,
    ),
    Kind(
        "CertificateFile elsewhere",
        "  IdentityFile ~/.ssh/lone\n  CertificateFile /run/lone.pub\n",
        here=f"{CA} ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/lone; ssh-keygen -q -s /run/ca -I me -n root /root/.ssh/lone.pub; mv /root/.ssh/lone-cert.pub /run/lone.pub",
        there="authority",
    ),
    Kind(
        "a certificate in the agent",
        here=f"{CA}{AGENT} ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/lone; ssh-keygen -q -s /run/ca -I me -n root /root/.ssh/lone.pub; SSH_AUTH_SOCK=/run/agent.sock ssh-add -q /root/.ssh/lone; rm /root/.ssh/lone* /root/.ssh/id_ed25519",
        there="authority",
        agent=True,
    ),
    Kind(
        "an RSA certificate",
        "  IdentityFile ~/.ssh/lone\n",
        here=f"{CA} ssh-keygen -q -t rsa -N '' -f /root/.ssh/lone; ssh-keygen -q -s /run/ca -I me -n root /root/.ssh/lone.pub",
        there="authority",
    ),
    Kind(
        "IdentityFile with tokens",
        "  IdentityFile ~/.ssh/%r-%n-%p\n",
        here="mv /root/.ssh/id_ed25519 /root/.ssh/root-box-2222",
    ),
    Kind("@cert-authority", here=HOST_CA, server=CERTIFIED, there=host_certificate("-n", "192.168.0.9")),
    Kind("@cert-authority, RSA", here=HOST_CA, server=CERTIFIED, there=host_certificate("-n", "192.168.0.9", ca="rsa")),
    Kind(
        "@cert-authority, ECDSA",
        here=HOST_CA,
        server=CERTIFIED,
        there=host_certificate("-n", "192.168.0.9", ca="ecdsa"),
    ),
    Kind("@cert-authority, no names", here=HOST_CA, server=CERTIFIED, there=host_certificate()),
    Kind(
        "@cert-authority, a pattern as name",
        here=HOST_CA,
        server=CERTIFIED,
        there=host_certificate("-n", "192.168.0.*"),
        accepted=False,
    ),
    Kind(
        "@cert-authority by a pattern",
        here=f"{HOST_CA}; sed -i 's/192.168.0.9/192.168.*/' /root/.ssh/known_hosts",
        server=CERTIFIED,
        there=host_certificate("-n", "192.168.0.9"),
    ),
    Kind(
        "@cert-authority, HostKeyAlias",
        "  HostKeyAlias gate\n",
        here=f"{HOST_CA}; sed -i 's/.192.168.0.9.:2222/gate/' /root/.ssh/known_hosts",
        server=CERTIFIED,
        there=host_certificate("-n", "gate"),
    ),
    Kind(
        "a host certificate for another name",
        here=HOST_CA,
        server=CERTIFIED,
        there=host_certificate("-n", "other"),
        accepted=False,
    ),
    Kind(
        "an expired host certificate",
        here=HOST_CA,
        server=CERTIFIED,
        there=host_certificate("-n", "192.168.0.9", "-V", "20200101:20210101"),
        accepted=False,
    ),
    Kind(
        "a host certificate of the future",
        here=HOST_CA,
        server=CERTIFIED,
        there=host_certificate("-n", "192.168.0.9", "-V", "20990101:20991231"),
        accepted=False,
    ),
    Kind(
        "a host certificate with a critical option",
        here=HOST_CA,
        server=CERTIFIED,
        there=host_certificate("-n", "192.168.0.9", "-O", "critical:x@y=z"),
        accepted=False,
    ),
    Kind(
        "a host certificate by SHA-1",
        here=HOST_CA,
        server=CERTIFIED,
        there=host_certificate("-t", "ssh-rsa", "-n", "192.168.0.9", ca="rsa"),
        accepted=False,
    ),
    Kind(
        "a host certificate by an unknown authority",
        here=f"{WRONG}; sed -i 's/^/@cert-authority /' /root/.ssh/known_hosts",
        server=CERTIFIED,
        there=host_certificate("-n", "192.168.0.9"),
        accepted=False,
    ),
    Kind(
        "an expired host certificate, its key known",
        server=CERTIFIED,
        here="sed 's/^/@cert-authority * /' /run/ca.pub >>/root/.ssh/known_hosts",
        there=host_certificate("-V", "20200101:20210101"),
    ),
    Kind(
        "a revoked authority",
        here=f"{HOST_CA}; sed 's/^/@revoked * /' /run/ca.pub >>/root/.ssh/known_hosts",
        server=CERTIFIED,
        there=host_certificate("-n", "192.168.0.9"),
        accepted=False,
    ),
    Kind(
        "a FIPS-like server",
        server="HostKey=/run/fips KexAlgorithms=ecdh-sha2-nistp256 Ciphers=aes256-ctr MACs=hmac-sha2-256",
        there="ssh-keygen -q -t ecdsa -N '' -f /run/fips",
        here="fips",
    ),
    Kind("only diffie-hellman-group-exchange", server="KexAlgorithms=diffie-hellman-group-exchange-sha256"),
    Kind("only diffie-hellman-group14", server="KexAlgorithms=diffie-hellman-group14-sha256"),
    Kind("only diffie-hellman-group18", server="KexAlgorithms=diffie-hellman-group18-sha512"),
    Kind("only curve25519 by its newer name", server="KexAlgorithms=curve25519-sha256"),
    Kind("only sntrup761", server="KexAlgorithms=sntrup761x25519-sha512@openssh.com"),
    Kind("only chacha20", server="Ciphers=chacha20-poly1305@openssh.com"),
    Kind("only umac", server="Ciphers=aes256-ctr MACs=umac-128-etm@openssh.com"),
    Kind("only aes128-cbc", server="Ciphers=aes128-cbc", accepted=False),
    Kind(
        "an RSA key, only rsa-sha2-512",
        "  IdentityFile ~/.ssh/r\n",
        here="ssh-keygen -q -t rsa -N '' -f /root/.ssh/r",
        there="r",
        server="PubkeyAcceptedAlgorithms=rsa-sha2-512",
    ),
    Kind("an RSA host key", server="HostKey=/run/fips", there="ssh-keygen -q -t rsa -N '' -f /run/fips", here="fips"),
    Kind(
        "KnownHostsCommand",
        "  KnownHostsCommand /bin/cat /run/known\n",
        here=f"mv /root/.ssh/known_hosts /run/known; {NO_KNOWN}",
    ),
    Kind(
        "ProxyCommand with shell words",
        "  ProxyCommand sh -c 'test -n \"$HOME\" && exec ssh -W 127.0.0.1:%p root@%h' # a comment\n",
    ),
    Kind("ProxyJump", "  ProxyJump root@192.168.0.9:22\n"),
    Kind(
        "ProxyJump, two hops by their aliases",
        "  ProxyJump first,second\nHost first\n  HostName 192.168.0.9\n  User root\nHost second\n  HostName 127.0.0.1\n  HostKeyAlias 192.168.0.9\n  User root\n",
    ),
    Kind("accept-new, an unknown key", "  StrictHostKeyChecking accept-new\n", here=NO_KNOWN),
    Kind("accept-new, a changed key", "  StrictHostKeyChecking accept-new\n", here=WRONG, accepted=False),
    Kind("a live ControlMaster is the only way in", "  ControlPath /run/master-%C\n", here="master"),
    Kind(
        "ControlMaster auto, no live one", "  ControlMaster auto\n  ControlPath /run/master-%C\n  ControlPersist no\n"
    ),
    Kind("an unknown key", here=NO_KNOWN, accepted=False),
    Kind("a changed key", here=WRONG, accepted=False),
    Kind(
        "a revoked key",
        here="sed -n 's/^.192.168.0.9.:2222 /@revoked * /p' /root/.ssh/known_hosts >>/root/.ssh/known_hosts",
        accepted=False,
    ),
    Kind(
        "StrictHostKeyChecking no, an unknown key",
        "  StrictHostKeyChecking no\n",
        here=NO_KNOWN,
        differs="an unknown host key is never accepted",
    ),
    Kind(
        "StrictHostKeyChecking no, a changed key",
        "  StrictHostKeyChecking no\n",
        here=WRONG,
        differs="a changed host key is never accepted",
    ),
    Kind(
        "StrictHostKeyChecking off, Match",
        "  StrictHostKeyChecking off\nMatch all\n",
        here=NO_KNOWN,
        differs="an unknown host key is never accepted",
    ),
    Kind(
        "CanonicalizeHostname always, no DNS",
        "  CanonicalizeHostname always\n  CanonicalizeFallbackLocal no\n  CanonicalDomains example.net\n",
        here="sed -i /HostName/d /root/.ssh/config",
        accepted=False,
    ),
    Kind(
        "a jump host with an unknown key",
        "  ProxyJump gate\nHost gate\n  HostName 192.168.0.9\n  HostKeyAlias nowhere\n  User root\n",
        accepted=False,
    ),
    Kind("an unknown word", "  NoSuchOption yes\n", accepted=False),
    Kind("IgnoreUnknown", "  IgnoreUnknown NoSuch*\n  NoSuchOption yes\n"),
    Kind(
        "HostKeyAlias with a port",
        "  HostKeyAlias gate\n",
        here="sed -i 's/^.192.168.0.9.:2222 /gate /' /root/.ssh/known_hosts",
    ),
    Kind("hashed known_hosts", here="ssh-keygen -q -H -f /root/.ssh/known_hosts; rm -f /root/.ssh/known_hosts.old"),
    Kind(
        "a pattern in known_hosts", here="sed -i 's/^.192.168.0.9.:2222 /[192.168.0.?]:2222 /' /root/.ssh/known_hosts"
    ),
    Kind(
        "GlobalKnownHostsFile",
        "  GlobalKnownHostsFile /run/known /run/known2\n",
        here=f"mv /root/.ssh/known_hosts /run/known2; {NO_KNOWN}",
    ),
    Kind(
        "UserKnownHostsFile with tokens",
        "  UserKnownHostsFile ~/.ssh/kh-%h\n",
        here="mv /root/.ssh/known_hosts /root/.ssh/kh-192.168.0.9",
    ),
    Kind(
        "quotes, equals signs and comments",
        '  IdentityFile = "~/.ssh/my key" # mine\n  IdentitiesOnly=yes\n',
        here="mv /root/.ssh/id_ed25519 '/root/.ssh/my key'",
    ),
    Kind("BindAddress", "  BindAddress 192.168.0.20\n"),
    Kind("AddressFamily inet6, an address of IPv4", "  AddressFamily inet6\n", accepted=False),
    Kind("PubkeyAuthentication no", "  PubkeyAuthentication no\n", accepted=False),
    Kind("PreferredAuthentications password", "  PreferredAuthentications password\n", accepted=False),
    Kind("two factors", server="AuthenticationMethods=publickey,password PasswordAuthentication=yes", accepted=False),
    Kind("HostKeyAlgorithms that the server lacks", "  HostKeyAlgorithms ssh-rsa\n", accepted=False),
    Kind("Ciphers by name", "  Ciphers aes256-gcm@openssh.com\n", server="Ciphers=aes256-gcm@openssh.com"),
    Kind(
        "RemoteCommand",
        "  RemoteCommand echo no\n  RequestTTY force\n",
        accepted=False,
        differs="RemoteCommand is not wgorch's command",
    ),
    Kind("a login that prints much", there="banner", server="Banner=/run/banner"),
]


def prepare(lab: Lab, kind: Kind) -> None:
    """Make the controller and home what the kind says."""
    world = lab.world
    config = kind.files.get("config", "") + BOX + kind.box
    for name, text in (kind.files | {"config": config}).items():
        world.write("controller", f"/root/.ssh/{name}", text, "600")
    if "/run/host.pub" in kind.there:
        world.sh("home", kind.there)
        world.write("controller", "/run/ca.pub", world.sh("home", "cat /run/ca.pub"))
    elif kind.there.startswith("ssh-keygen"):
        world.sh("home", kind.there)
    elif kind.there == "banner":
        world.sh("home", "seq 2000 >/run/banner")
    if kind.here == "fips":
        key = world.sh("home", "cut -d' ' -f1,2 /run/fips.pub")
        world.write("controller", "/root/.ssh/known_hosts", f"[192.168.0.9]:2222 {key}", "600")
    elif kind.here != "master":
        world.sh("controller", kind.here)
    if kind.there in ("token", "r"):
        public = world.sh("controller", f"cat /root/.ssh/{kind.there}.pub")
        world.write("home", "/root/.ssh/authorized_keys", public, "600")
    if kind.there == "authority":
        world.write(
            "home", "/root/.ssh/authorized_keys", f"cert-authority {world.sh('controller', 'cat /run/ca.pub')}", "600"
        )
    options = [word for option in kind.server.split() for word in ("-o", option)]
    argv = ["/usr/sbin/sshd", "-f", "/etc/ssh/world_sshd_config", "-p", "2222", "-o", "PidFile=/run/second.pid"]
    world.run("home", *argv, "-E", "/run/second.log", *options)
    if kind.here == "master":
        world.sh("controller", "ssh -M -N -f box </dev/null >/dev/null 2>&1")
        world.sh("home", "rm /root/.ssh/authorized_keys")
