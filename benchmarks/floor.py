"""The floor: bare OpenSSH, one process and one conversation a host, the whole job, nothing decided and nothing shown.

python floor.py HOSTS.json [--probe] [-o SSH-OPTION]…
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading

HOST = r"""
set -e; umask 077; address=$1 lan=$2 ping1=$3 ping2=$4 card=lan0 key=/etc/wireguard/key
[ -s $key ] || wg genkey >$key
echo "PUB $(wg pubkey <$key)"
[ -d /sys/class/net/wg0 ] || ip link add wg0 type wireguard 2>/dev/null || { LOG_LEVEL=error wireguard-go wg0 >/dev/null 2>&1
i=0; until wg show wg0 public-key >/dev/null 2>&1 || [ $i -gt 50 ]; do i=$((i+1)); sleep 0.02; done; }
wg set wg0 listen-port 51820 private-key $key
printf 'address replace %s/16 dev wg0\nlink set wg0 up mtu 1420\n' $address | ip -batch -
for c in wg0 lan0; do [ ! -e /proc/sys/net/ipv4/conf/$c ] || echo 1 >/proc/sys/net/ipv4/conf/$c/forwarding; done
echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/99-wg.conf
case $(iptables-save) in *"-o wg0 "*) ;; *) iptables-restore --noflush <<END
*filter
-A FORWARD -i wg0 -j ACCEPT
-A FORWARD -o wg0 -j ACCEPT
COMMIT
*nat
-A POSTROUTING -s 10.99.0.0/16 -o $card -j MASQUERADE
COMMIT
END
iptables-save >/etc/rules.v4 ;; esac
while read -r line; do case $line in END) break ;; 'peer '*) wg set wg0 $line ;; 'route '*) echo "route replace ${line#route } dev wg0" ;; esac; done >/run/routes
ip -batch /run/routes
echo READY; read -r go
n=0
[ -z "$ping1" ] || { ping -n -c 1 -W 3 $ping1 >/dev/null && n=$((n+1)); ping -n -c 1 -W 3 $ping2 >/dev/null && n=$((n+1)); }
echo "DONE $n"
"""
PROBE = r"""
wg show wg0 public-key; wg show wg0 allowed-ips; ip -o addr show; ip route show; iptables-save; cat /proc/sys/net/ipv4/conf/*/forwarding; ls -l /etc/wireguard
n=0
[ -z "$3" ] || { ping -n -c 1 -W 3 $3 >/dev/null && n=$((n+1)); ping -n -c 1 -W 3 $4 >/dev/null && n=$((n+1)); }
echo "DONE $n"
"""


def main() -> int:
    told = json.load(open(sys.argv[1]))
    probe = "--probe" in sys.argv
    options = [word for word in sys.argv[2:] if word != "--probe"]
    nodes, jump = told["nodes"], told.get("jump")
    target = told.get("user", "root")
    hub = nodes[0]
    keys: dict[str, str] = {}
    all_keys, hub_ready, ready = threading.Event(), threading.Event(), threading.Barrier(len(nodes), timeout=120)
    guard = threading.Lock()
    good: list[bool] = []

    def work(node: dict[str, str]) -> None:
        pings = ("", "") if node is hub else (hub["address"], node["next_lan"])
        script = (PROBE if probe else HOST).replace("'", "'\\''")
        argv = f"sh -c '{script}' wg {node['address']} {node['lan']} '{pings[0]}' '{pings[1]}'"
        command = f"sudo -n {argv}" if target != "root" else argv
        via = ["-J", jump] if jump else []
        process = subprocess.Popen(
            ["ssh", "-oBatchMode=yes", *options, *via, f"{target}@{node['ssh']}", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert process.stdin and process.stdout
        out, into = process.stdout, process.stdin
        if probe:
            lines = out.read().split("\n")
            good.append(any(line == f"DONE {2 if pings[0] else 0}" for line in lines))
            process.wait()
            return
        keys[node["name"]] = out.readline().split()[1]
        with guard:
            if len(keys) == len(nodes):
                all_keys.set()
        if node is hub:
            all_keys.wait(120)
            lines = [f"peer {keys[n['name']]} allowed-ips {n['address']}/32,{n['lan']}" for n in nodes[1:]]
            lines += [f"route {n['lan']}" for n in nodes[1:]]
        else:
            # A spoke that greets a relay which does not know it yet would wait 5 s.
            hub_ready.wait(120)
            lans = ",".join(n["lan"] for n in nodes[1:] if n is not node)
            lines = [
                f"peer {keys[hub['name']]} allowed-ips 10.99.0.0/16{',' + lans if lans else ''} endpoint {hub['ssh']}:51820 persistent-keepalive 25"
            ]
            lines += [f"route {n['lan']}" for n in nodes[1:] if n is not node]
        into.write("\n".join([*lines, "END", ""]))
        assert out.readline() == "READY\n"
        if node is hub:
            hub_ready.set()
        ready.wait()
        into.write("GO\n")
        good.append(out.readline() == f"DONE {2 if pings[0] else 0}\n")
        into.close()
        process.wait()

    threads = [threading.Thread(target=work, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0 if len(good) == len(nodes) and all(good) else 1


sys.exit(main())
