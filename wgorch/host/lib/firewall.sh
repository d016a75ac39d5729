# iptables. A table with a 6 after its name is one of ip6tables. iptables-restore takes many rules at once but cannot delete
# a jump that may be absent.
: "${reply_before=}" # of read_record

# The tool of a table in reply_iptables, nft's family in reply_family.
# shellcheck disable=SC2034 # not every script reads both
iptables_of() { # TABLE
    case $1 in
    *6) reply_iptables=ip6tables reply_family=ip6 ;;
    *) reply_iptables=iptables reply_family=ip ;;
    esac
}

# All rules of a table's tool in reply_rules; asked once, until rules4 and rules6 are emptied. 1 if they cannot be read.
read_rules() { # TABLE
    iptables_of "$1"
    case $1 in *6) reply_rules=$rules6 ;; *) reply_rules=$rules4 ;; esac
    [ -z "$reply_rules" ] || return 0
    reply_rules=$("$reply_iptables-save" 2>/dev/null) || {
        echo "$reply_iptables-save failed with status $?"
        return 1
    }
    reply_rules="$reply_rules
"
    case $1 in *6) rules6=$reply_rules ;; *) rules4=$reply_rules ;; esac
}

# Record the tables that are not there yet: they exist only because of wgorch.
note_table() { # TABLE...
    new=''
    for table; do
        # Asked for one table, iptables-nft-save prints it even where it is not there.
        read_rules "$table" || return 1
        case $reply_rules in *"*${table%6}"*) ;; *) new="$new $table" ;; esac
    done
    for table in $new; do add_record "table $table" || return 1; done
}

# Record the built-in chains that are not there yet: nft has them only where they were used.
note_chain() { # TABLE PARENT...
    command -v nft >/dev/null 2>&1 || return 0
    while [ $# -ge 2 ]; do
        iptables_of "$1"
        nft list chain "$reply_family" "${1%6}" "$2" >/dev/null 2>&1 || add_record "chain $1/$2" || return 1
        shift 2
    done
}

# Create chains that may be there.
ensure_chain() { # TABLE CHAIN...
    while [ $# -ge 2 ]; do
        iptables_of "$1"
        "$reply_iptables" --wait 10 -t "${1%6}" -N "$2" 2>/dev/null || :
        shift 2
    done
}

# Delete a built-in chain that exists only because of wgorch, if it is empty: nft deletes a chain with all its rules.
drop_chain() {
    table=$1 parent=$2
    read_record chain "$table/$parent"
    [ -n "$reply_before" ] || return 0
    iptables_of "$table"
    is_untouched chain "$reply_family" "${table%6}" "$parent" || return 0
    ! nft delete chain "$reply_family" "${table%6}" "$parent" 2>/dev/null || drop_record chain "$table/$parent"
}

# True if nothing but empty built-in chains, with the policy accept, is in a table, or in a chain, of nft; 2 if there is none.
is_untouched() { # table|chain FAMILY NAME...
    content=$(nft list "$@" 2>/dev/null) && [ -n "$content" ] || return 2
    while read -r line; do
        case $line in
        '' | '}' | 'table '*' {') ;;
        'chain PREROUTING {' | 'chain INPUT {' | 'chain FORWARD {' | 'chain OUTPUT {' | 'chain POSTROUTING {') ;;
        'type '*' hook '*'policy accept;') ;;
        *) return 1 ;;
        esac
    done <<CONTENT
$content
CONTENT
}

# Delete jumps until they are absent.
remove_jump() { # TABLE PARENT MARK CHAIN...
    while [ $# -ge 4 ]; do
        read_rules "$1" || return 1
        case $reply_rules in
        *"-j $4
"*)
            iptables_of "$1"
            tries=0
            while "$reply_iptables" --wait 10 -t "${1%6}" -D "$2" -m comment --comment "$3" -j "$4" 2>/dev/null; do
                tries=$((tries + 1))
                [ "$tries" -lt 64 ] || return 1
            done
            ;;
        esac
        shift 4
    done
}

# Delete a table that exists only because of wgorch, if nothing but untouched built-in chains is left in it.
drop_table() {
    table=$1
    read_record table "$table"
    [ -n "$reply_before" ] || return 0
    iptables_of "$table"
    is_untouched table "$reply_family" "${table%6}"
    case $? in
    0) nft delete table "$reply_family" "${table%6}" 2>/dev/null ;;
    1)
        # Something that iptables may not show: it is there because of others by now.
        drop_record table "$table"
        return
        ;;
    esac
    rules=$("$reply_iptables-save" 2>/dev/null) || return 1
    case $rules in *"*${table%6}"*) ;; *) drop_record table "$table" ;; esac
}

# State a chain and its jumps in one transaction; its rules are read from stdin, as iptables-restore takes them. A place is
# one among the parent's rules that are of no network of wgorch.
restate_chain() { # TABLE PARENT MARK CHAIN PLACE...
    table=${1%6} parent=$2 chain=$4 jump="-m comment --comment $3 -j $4" wanted=$(cat)
    jumps="^-A $2 -m comment --comment \"?$3\"? -j $4\$"
    iptables_of "$1"
    shift 4
    tries=0
    until
        rules=$("$reply_iptables-save" -t "$table" | grep -- "^-A $parent ")
        state_chain "$@" | "$reply_iptables-restore" --wait 10 --noflush
    do
        # Another program may have changed the jumps meanwhile.
        tries=$((tries + 1))
        [ "$tries" -lt 5 ] || return 1
    done
}

# What restate_chain hands over.
state_chain() { # PLACE...
    printf '*%s\n:%s - [0:0]\n%s\n' "$table" "$chain" "$wanted"
    printf '%s\n' "$rules" | grep -E -- "$jumps" | while read -r _; do printf -- '-D %s %s\n' "$parent" "$jump"; done
    above=0
    for place; do
        number_of "$place"
        printf -- '-I %s %s %s\n' "$parent" "$((reply_number + above))" "$jump"
        above=$((above + 1))
    done
    echo COMMIT
}

# The number of the rule that a jump is put before, in reply_number: the chain's own jumps are not counted, as they are gone.
number_of() { # PLACE
    reply_number=1 others=1
    [ "$1" -gt 1 ] || return 0
    # The last of several is right where there are fewer rules.
    while IFS= read -r seen; do
        case $seen in
        '') ;;
        *wgorch:*) reply_number=$((reply_number + 1)) ;;
        *)
            [ "$others" -lt "$1" ] || return 0
            others=$((others + 1)) reply_number=$((reply_number + 1))
            ;;
        esac
    done <<RULES
$(printf '%s\n' "$rules" | grep -v -E -- "$jumps")
RULES
}

# Load rules of nft, and keep how it lists the network's table: a rule whose words are edited later is known by that. A disk
# that is full keeps no rules from being loaded.
load_rules() { # NETWORK
    loading=$(cat)
    printf '%s\n' "$loading" | nft -f - || return
    listing=$(nft -s list table inet "wgorch-$1" 2>/dev/null) &&
        { keep_listing >nft.loaded.new && mv nft.loaded.new nft.loaded; } 2>/dev/null ||
        rm -f nft.loaded nft.loaded.new 2>/dev/null || :
}

# Print nft's version, for whose words the listing stands, and the listing without what others put there.
keep_listing() {
    nft --version
    foreign=$(printf '%s\n' "$loading" | sed -n 's/ # foreign$//p')
    [ -n "$foreign" ] || {
        printf '%s\n' "$listing"
        return
    }
    printf '%s\n' "$listing" | sed 's/^[[:space:]]*//' | grep -vxF -- "$foreign"
}

# Let the kernel track connections for some seconds before a policy refuses what it has not seen both ways; those that run
# through the tunnel by now are none that the policy ends. Without a tunnel there are none.
track_connections() { # NETWORK TABLES INTERFACE...
    network=$1 tables=$2 tracked=0
    shift 2
    for interface; do
        [ -e "/sys/class/net/$interface" ] || continue
        read_sysctl net/netfilter/nf_conntrack_count
        [ "${reply_sysctl:-0}" = 0 ] || return 0
        tracked=1
    done
    [ "$tracked" = 1 ] || return 0
    for table in $tables; do begin_tracking "$table" || return 1; done
    sleep 3
}

# Track connections by a rule of the chain that the policy will be in.
begin_tracking() { # TABLE
    if [ "$1" = inet ]; then
        nft "add table inet wgorch-$network; add chain inet wgorch-$network tracking {
            type filter hook forward priority -145 ; policy accept ; };
            add rule inet wgorch-$network tracking ct state established accept"
        return
    fi
    iptables_of "$1"
    printf '*%s\n:%s - [0:0]\n-A %s %s\nCOMMIT\n' "${1%6}" "wgorch-$network-pin" "wgorch-$network-pin" \
        '-m conntrack --ctstate ESTABLISHED' | "$reply_iptables-restore" --wait 10 --noflush
}

# Delete the rules of a policy whose time is over: it stands behind @ at the end of a rule's comment, as a UNIX time.
end_rules() { # NETWORK
    now=$(date +%s) network=$1 chain=
    for table in mangle mangle6; do end_iptables_rules "$table"; done
    command -v nft >/dev/null 2>&1 || return 0
    over=$(nft -a list table inet "wgorch-$network" 2>/dev/null | while IFS= read -r line; do
        case $line in
        *'chain '*' { # handle '*)
            chain=${line#*chain }
            chain=${chain%% *}
            ;;
        *' comment "wgorch:'*'@'*'" # handle '*)
            until=${line##*@}
            until=${until%%\"*}
            case $until in '' | *[!0-9]*) continue ;; esac
            [ "$until" -gt "$now" ] ||
                printf 'delete rule inet wgorch-%s %s handle %s\n' "$network" "$chain" "${line##* }"
            ;;
        esac
    done)
    [ -z "$over" ] || printf '%s\n' "$over" | nft -f -
}

# The same of the chains of iptables, whose rules have until: in a comment.
end_iptables_rules() { # TABLE
    iptables_of "$1"
    command -v "$reply_iptables-save" >/dev/null 2>&1 || return 0
    ended=$("$reply_iptables-save" -t "${1%6}" 2>/dev/null | while IFS= read -r rule; do
        # Some versions quote what has a colon.
        case $rule in "-A wgorch-$network-p"*' --comment until:'* | "-A wgorch-$network-p"*' --comment "until:'*) ;; *) continue ;; esac
        end=${rule##*until:}
        end=${end%% *}
        end=${end%\"}
        case $end in '' | *[!0-9]*) continue ;; esac
        [ "$end" -gt "$now" ] || printf -- '-D %s\n' "${rule#-A }"
    done)
    [ -z "$ended" ] || printf '*%s\n%s\nCOMMIT\n' "${1%6}" "$ended" | "$reply_iptables-restore" --wait 10 --noflush
}
