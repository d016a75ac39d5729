set -u
umask 077
export LC_ALL=C
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"
cd "$directory" || exit 1
guard=${guard-} rules4=${given4-} rules6=${given6-}
unset given4 given6
boot_id=none
[ -r /proc/sys/kernel/random/boot_id ] && read -r boot_id </proc/sys/kernel/random/boot_id

# Before some changes: say which, and stop where this program's time is over (its guard file was taken away).
at() { # NUMBER...: all in one piece, since each piece is a packet of SSH
    [ -z "$guard" ] || [ -e "$guard" ] || { printf '@stop %s\n' "$1"; exit 1; }
    printf '@at %s\n' "$@"
}
fail() { printf '@fail %s\n' "$1"; exit 1; }

# A file appears whole or not at all; one that must outlast a loss of power is on the disk before it appears.
put() { printf '%s\n' "$2" >"$1.$$" && mv -f "$1.$$" "$1"; } # FILE TEXT
write_file() { [ -d "${1%/*}" ] || (umask 022 && mkdir -p "${1%/*}"); cat >"$1.$$" && chmod "$2" "$1.$$" && { sync "$1.$$" 2>/dev/null || sync; } && mv -f "$1.$$" "$1"; }

write() {
    [ "$1" != net/ipv6/conf/all/forwarding ] || { forward_ipv6 "$2"; return; }
    printf '%s\n' "$2" >"/proc/sys/$1"
}
# This one switch turns every card's too, and forgets what routers announced on cards whose accept_ra is 1. So each
# card is noted first, and has its own values again afterwards: only the switch itself, which decides alone, differs.
forward_ipv6() {
    [ -s cards6 ] || put cards6 "$(for card in /proc/sys/net/ipv6/conf/*; do
        [ "${card##*/}" = all ] && continue
        read -r own <"$card/forwarding" || :
        read -r heard <"$card/accept_ra" || :
        printf '%s %s %s\n' "${card##*/}" "$own" "$heard"
    done)" || return 1
    while read -r card own heard; do
        [ "$heard" != 1 ] || echo 2 >"/proc/sys/net/ipv6/conf/$card/accept_ra" 2>/dev/null
    done <cards6
    echo "$1" >/proc/sys/net/ipv6/conf/all/forwarding || return 1
    while read -r card own heard; do
        echo "$own" >"/proc/sys/net/ipv6/conf/$card/forwarding" 2>/dev/null
        echo "$heard" >"/proc/sys/net/ipv6/conf/$card/accept_ra" 2>/dev/null
    done <cards6
    rm -f cards6
}
# Values below /proc/sys can carry no mark, so what was there before us is recorded: "sysctl PATH BEFORE OURS".
records() { # "KIND NAME"...: the records of this boot without these
    but=/
    for one; do but="$but$one/"; done
    records_but "$but"
}
records_but() { # /KIND NAME/KIND NAME/
    printf 'boot %s\n' "$boot_id"
    [ -r recorded ] || return 0
    read -r first <recorded
    [ "$first" = "boot $boot_id" ] || return 0
    while read -r kind name rest; do
        # A name may have slashes of its own.
        case $1 in *"/$kind $name/"*) continue ;; esac
        [ "$kind" = boot ] || printf '%s %s%s\n' "$kind" "$name" "${rest:+ $rest}"
    done <recorded
}
before_us() { # KIND NAME: what was recorded is in `before`, or it is empty
    before=
    [ -r recorded ] || return 0
    read -r first <recorded
    [ "$first" = "boot $boot_id" ] || return 0
    while read -r kind name was _; do
        if [ "$kind $name" = "$1 $2" ]; then before=${was:-yes}; return 0; fi
    done <recorded
    return 0
}
record() { # LINE: one more, where it is not there yet
    first=
    [ ! -r recorded ] || read -r first <recorded
    if [ "$first" != "boot $boot_id" ]; then
        printf '%s\n' "boot $boot_id" "$1" >recorded # what is of another boot is worth nothing
    else
        before_us "${1%% *}" "${1#* }"
        [ -n "$before" ] || printf '%s\n' "$1" >>recorded
    fi
}
set_value() { # PATH VALUE...: what was there is recorded first; behind a --, values of our own interface, which need none
    values='' record='' over=''
    while [ $# -ge 2 ] && [ "$1" != -- ]; do
        seen= # read's status says nothing here: dash reads byte by byte, and such a file ends after its first read
        [ ! -r "/proc/sys/$1" ] || read -r seen <"/proc/sys/$1" || :
        if [ -z "$seen" ] && [ -n "${starting-}" ]; then
            echo "there is no /proc/sys/$1 at this start" # a card that is not plugged in: the tunnel does not wait for it
            shift 2
            continue
        fi
        [ -n "$seen" ] || { echo "cannot read /proc/sys/$1"; return 1; }
        before_us sysctl "$1"
        if [ -n "$before" ] && [ "$before" = "$2" ]; then
            over="$over $1"
        elif [ "$seen" != "$2" ]; then
            record="$record $1 ${before:-$seen} $2"
        fi
        [ "$seen" = "$2" ] || values="$values $1 $2"
        shift 2
    done
    [ "${1-}" != -- ] || shift
    # shellcheck disable=SC2086
    [ -z "$record" ] || add_records $record || return 1
    # shellcheck disable=SC2086
    set -- $values "$@"
    while [ $# -ge 2 ]; do
        # In a container it may be right already, and not ours to write.
        seen=
        [ ! -r "/proc/sys/$1" ] || read -r seen <"/proc/sys/$1" || :
        [ "$seen" = "$2" ] || write "$1" "$2" || return 1
        shift 2
    done
    [ -z "$over" ] || for path in $over; do put recorded "$(records "sysctl $path")" || return 1; done
}
add_records() { # PATH BEFORE OURS...
    lines='' known=''
    while [ $# -ge 3 ]; do
        lines="$lines
sysctl $1 $2 $3" known="$known/sysctl $1"
        shift 3
    done
    read -r all4 </proc/sys/net/ipv4/conf/all/forwarding || :
    first=
    [ ! -r recorded ] || read -r first <recorded
    if [ "$first" != "boot $boot_id" ]; then
        printf '%s\n' "boot $boot_id" "all4 $all4$lines" >recorded
        return
    fi
    while read -r kind value; do [ "$kind" != all4 ] || all4=$value; done <recorded
    put recorded "$(records_but "$known/all4 $all4/")
all4 $all4$lines"
}

# The kernel's WireGuard where it has it, wireguard-go where not.
make_interface() {
    [ -d "/sys/class/net/$1" ] && wg show "$1" public-key >/dev/null 2>&1 && return 0
    ip link add dev "$1" type wireguard 2>/dev/null && return 0
    command -v wireguard-go >/dev/null 2>&1 || { echo "the kernel has no WireGuard, and there is no wireguard-go"; return 1; }
    LOG_LEVEL=error setsid wireguard-go "$1" </dev/null >/dev/null 2>&1 || return 1
    tries=0
    until [ -S "/var/run/wireguard/$1.sock" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || return 1
        sleep 0.02 2>/dev/null || sleep 1
    done
}

clear_alias() { ip link set dev "$1" alias ''; } # a batch would lose the empty word
end_interface() { # and wireguard-go's directory, where nothing else is in it
    ip link delete dev "$1" 2>/dev/null
    # On a busy host it takes seconds to end. By the clock, since not every sleep knows tenths.
    read -r now _ </proc/uptime
    patience=$((${now%%.*} + 10))
    while [ -e "/var/run/wireguard/$1.sock" ] && [ "${now%%.*}" -lt "$patience" ]; do
        sleep 0.1 2>/dev/null || sleep 1
        read -r now _ </proc/uptime
    done
    rmdir /var/run/wireguard 2>/dev/null
    [ ! -d "/sys/class/net/$1" ]
}

# Firewall. iptables-restore takes many rules at once but cannot delete a jump that may be absent.
# A table with a 6 behind its name is one of ip6tables.
rules_by() { case $1 in *6) by=ip6tables ;; *) by=iptables ;; esac; }
rules_of() { # TABLE: what is in all tables of its kind is in `rules`, asked once, until they are empty again
    case $1 in
    *6) rules=${rules6:="$(ip6tables-save 2>/dev/null)
"} ;;
    *) rules=${rules4:="$(iptables-save 2>/dev/null)
"} ;;
    esac
}
note_table() { # TABLE...: iptables tables that are there only because of us
    new=''
    for table; do
        # Asked for one table, iptables-nft-save prints it even where it is not there.
        rules_of "$table"
        case $rules in *"*${table%6}"*) ;; *) new="$new $table" ;; esac
    done
    [ -n "$new" ] || return 0
    for table in $new; do record "table $table" || return 1; done
}
# In nft's tables the built-in chains, too, are there only where they were used.
note_chain() { # TABLE PARENT...: built-in chains that are there only because of us
    command -v nft >/dev/null 2>&1 || return 0
    while [ $# -ge 2 ]; do
        family=ip
        case $1 in *6) family=ip6 ;; esac
        nft list chain "$family" "${1%6}" "$2" >/dev/null 2>&1 ||
            record "chain $1/$2" || return 1
        shift 2
    done
}
ensure_chain() { # TABLE CHAIN...
    while [ $# -ge 2 ]; do
        rules_by "$1"
        "$by" --wait 10 -t "${1%6}" -N "$2" 2>/dev/null || :
        shift 2
    done
}
drop_chain() { # TABLE PARENT: nft itself refuses where anything is in it
    before_us chain "$1/$2"
    [ -n "$before" ] || return 0
    family=ip
    case $1 in *6) family=ip6 ;; esac
    case $(nft list chain "$family" "${1%6}" "$2" 2>/dev/null) in *policy\ accept*) ;; *) return 0 ;; esac
    ! nft delete chain "$family" "${1%6}" "$2" 2>/dev/null || put recorded "$(records "chain $1/$2")"
}
remove_jump() { # TABLE PARENT MARK CHAIN...: until absent
    while [ $# -ge 4 ]; do
        rules_of "$1"
        case $rules in *"-j $4
"*)
            rules_by "$1"
            tries=0
            while "$by" --wait 10 -t "${1%6}" -D "$2" -m comment --comment "$3" -j "$4" 2>/dev/null; do
                tries=$((tries + 1))
                [ "$tries" -lt 64 ] || return 1
            done
            ;;
        esac
        shift 4
    done
}
drop_table() { # only where nothing but untouched built-in chains is left in it
    rules_by "$1"
    content=$("$by-save" -t "${1%6}" 2>/dev/null)
    untouched=yes
    while read -r line; do
        case $line in
        '' | '#'* | '*'* | COMMIT | ':'*' ACCEPT '*) ;;
        *) untouched=no ;;
        esac
    done <<TABLE
$content
TABLE
    if [ "$untouched" = yes ] && [ -n "$content" ] && command -v nft >/dev/null 2>&1; then
        family=ip
        [ "$by" = iptables ] || family=ip6
        nft delete table "$family" "${1%6}" 2>/dev/null
    fi
    case $("$by-save" 2>/dev/null) in *"*${1%6}"*) return 0 ;; esac
    before_us table "$1"
    [ -z "$before" ] || put recorded "$(records "table $1")"
}

generate_key() { # never written over, not even by two of us
    [ -s "$1" ] && return 0
    # An empty one is what a loss of power left of a change that was not confirmed: `confirm` has the key on the disk first.
    for left in "$1" "$1".*; do [ ! -e "$left" ] || rm -f "$left"; done
    born=$(wg genkey) && [ -n "$born" ] || return 1
    set -C # whoever makes the file has it
    { printf '%s\n' "$born" || { rm -f "$1"; false; }; } 2>/dev/null >"$1" || [ -s "$1" ]
    born=$?
    set +C
    return "$born"
}

# A new key lies beside the one in use, under its public half as its name, until the change that takes it up is
# confirmed: the old one can then still be had back.
stage_key() {
    drop_staged_keys "$1"
    wg genkey >"$1.$$" && [ -s "$1.$$" ] && { sync "$1.$$" 2>/dev/null || sync; } || return 1
    tag=$(wg pubkey <"$1.$$" | tr / _) && [ -n "$tag" ] && mv -f "$1.$$" "$1.$tag"
}
import_key() { # FILE COMMAND...: the key that it prints
    file=$1
    shift
    "$@" </dev/null >"$file.$$" && [ -s "$file.$$" ] || { rm -f "$file.$$"; echo "$* printed no key"; return 1; }
    sync "$file.$$" 2>/dev/null || sync
    tag=$(wg pubkey <"$file.$$" | tr / _)
    [ -n "$tag" ] || { rm -f "$file.$$"; echo "what $* printed is no key"; return 1; }
    if [ -s "$file" ]; then
        drop_staged_keys "$file"
        mv -f "$file.$$" "$file.$tag"
    else
        mv -f "$file.$$" "$file"
    fi
}
drop_staged_keys() { # but not one that is confirmed, and only waits to be put in place
    confirmed=
    [ ! -r boot ] || while IFS= read -r line; do
        case $line in '#: key '*) confirmed=$1.${line#'#: key '} ;; '#'*) ;; *) break ;; esac
    done <boot
    for beside in "$1".?*; do
        case $beside in "$confirmed" | "$1.$$") ;; *) rm -f "$beside" ;; esac
    done
}
set_key() { # INTERFACE TAG WORD...: the key of that name, if it still lies beside the one in its place
    interface=$1 key=private_key
    [ -s "private_key.$2" ] && key=private_key.$2
    shift 2
    wg set "$interface" private-key "$key" "$@"
}

runit_place() { for place in /var/service /etc/service /service; do [ -d "$place" ] && return 0; done; return 1; }
enable_runit() { # SERVICE
    runit_place && ln -sfn "/etc/sv/$1" "$place/$1"
}
disable_runit() { # SERVICE: what runs it ends before its files go
    runit_place && rm -f "$place/$1"
    [ ! -d "/etc/sv/$1" ] || { sv force-shutdown "/etc/sv/$1" >/dev/null 2>&1; rm -rf "/etc/sv/$1"; }
}
reload_network_manager() { # PATH of what it was told: systemd-networkd reads it at its next start, and is not disturbed
    case $1 in */NetworkManager/*) ! command -v nmcli >/dev/null 2>&1 || nmcli general reload conf >/dev/null 2>&1 || : ;; esac
    case $1 in */networkd.conf.d/*) rmdir "${1%/*}" 2>/dev/null || : ;; esac # if it was only there for us
}

set_named_endpoint() { # INTERFACE KEY ENDPOINT: at a start the name may not be known yet; then `watch` comes to it
    if [ -z "${starting-}" ]; then
        wg set "$1" peer "$2" endpoint "$3"
    else
        WG_ENDPOINT_RESOLUTION_RETRIES=2 wg set "$1" peer "$2" endpoint "$3" || echo "$3 is not known yet"
    fi
}

set_policy_rule() { # FAMILY PRIORITY WORD...: of the routing policy
    delete_policy_rule "$1" "$2"
    family=$1 priority=$2
    shift 2
    ip "$family" rule add priority "$priority" "$@"
}
delete_policy_rule() { # FAMILY PRIORITY: what of it is ours
    tries=0
    while ip "$1" rule delete priority "$2" protocol 119 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 16 ] || return 1
    done
}

resolv() { # write /etc/resolv.conf whole; into it where it is mounted there
    cat >/etc/resolv.conf.wgorch && chmod 644 /etc/resolv.conf.wgorch || return 1
    mv -f /etc/resolv.conf.wgorch /etc/resolv.conf 2>/dev/null ||
        { cat /etc/resolv.conf.wgorch >/etc/resolv.conf && rm -f /etc/resolv.conf.wgorch; }
}
set_dns() { # MARK SERVER...: in place of those that are there, which are kept
    ours=
    [ ! -r /etc/resolv.conf ] || read -r ours </etc/resolv.conf || :
    if [ "$ours" != "# $1" ]; then
        rm -f resolv.before
        [ ! -e /etc/resolv.conf ] && [ ! -L /etc/resolv.conf ] || cp -pP /etc/resolv.conf resolv.before || return 1
    fi
    {
        printf '# %s\n' "$1"
        shift
        for server; do printf 'nameserver %s\n' "$server"; done
        [ ! -r resolv.before ] || while IFS= read -r line || [ -n "$line" ]; do
            case $line in search* | domain* | options*) printf '%s\n' "$line" ;; esac
        done <resolv.before
    } | resolv
}
restore_dns() { # MARK: only where they are still ours
    ours=
    [ ! -r /etc/resolv.conf ] || read -r ours </etc/resolv.conf || :
    [ "$ours" = "# $1" ] || return 0
    if [ -e resolv.before ] || [ -L resolv.before ]; then
        mv -f resolv.before /etc/resolv.conf 2>/dev/null || cat resolv.before >/etc/resolv.conf
    else
        rm -f /etc/resolv.conf
    fi
}
