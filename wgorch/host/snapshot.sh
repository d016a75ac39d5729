# Everything of a machine that a change could leave a trace in, but for files on its disk, as lines that can be compared.
# Only rehearsals run it.
export LC_ALL=C

# Begin a part.
part() { # NAME
    printf '== %s\n' "$1"
}

part links
ip -o link show |
    sed -e 's/^[0-9]*: //' -e 's/@if[0-9]*//' -e 's/link-netnsid.*//' -e 's/qlen.*\\/\\/' -e 's/ link\/.*//' | sort
part addresses
ip -o address show scope global | sed 's/^[0-9]*: //' | sort
part routes
ip -4 route show table all | sort
ip -6 route show table all | grep -v -e fe80 -e ff00 | sort
part rules
ip rule show
ip -6 rule show
part sysctls
(
    cd /proc/sys/net &&
        grep -r . ipv4/conf ipv6/conf ipv4/ip_forward 2>/dev/null | grep -v -e stable_secret -e base_reachable | sort
)
part nft
nft --stateless list ruleset
part iptables
for save in iptables-save ip6tables-save; do "$save" | grep -v '^#' | sed 's/\[[0-9]*:[0-9]*\]/[0:0]/'; done
part run
find /run -xdev \( -type f -o -type l -o -type d \) 2>/dev/null | grep -v -e '^/run/systemd/' -e '^/run/log' \
    -e '^/run/journal' -e '^/run/user' -e '^/run/xtables.lock' -e '^/run/sshd' -e '^/run/dbus' | sort
part processes
# A ping of the fact script may outlive the run that sent it, by the second that it waits for an answer.
tries=0
while [ "$tries" -lt 30 ] && pgrep -f '^ping -n -c 1 -[Ww] 1 ' >/dev/null; do
    sleep 0.1
    tries=$((tries + 1))
done
# shellcheck disable=SC2009 # the whole command line is compared
ps -eo args= | grep -v -e '^\[' -e '^ps ' -e '^sort' -e '^sshd: ' -e 'sftp' -e '^sh -c' -e '^sed ' -e '^grep ' -e '^sleep ' \
    -e '^-\?/bin/sh$' -e '^/bin/sh -c' -e '^sudo' -e 'systemd' | sort
