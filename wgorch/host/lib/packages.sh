# Packages by the host's own manager. Nothing else is upgraded, and whoever works with packages already is waited for.
install_packages() { # MANAGER PACKAGE...
    manager=$1 refresh='' waited=0 told='' new=''
    shift
    for package; do [ -n "$(installed_as "$manager" "$package")" ] || new="$new $package"; done
    while :; do
        holder=$(lock_holder "$manager")
        if [ -z "$holder" ]; then
            said=$(install_once "$manager" "$refresh" "$@" 2>&1) && break
            holder=$(lock_holder "$manager")
        fi
        if [ -z "$holder" ]; then
            [ -z "$refresh" ] || { printf '%s\n' "$said"; return 1; }
            refresh=yes
            continue
        fi
        [ "$holder" = "$told" ] || printf '@wait for %s, which %s holds\n' "$manager" "$holder"
        told=$holder waited=$((waited + 1))
        [ "$waited" -le 300 ] || { echo "$manager is held by $holder for more than 300 s"; return 1; }
        sleep 1
    done
    new=$(for package in $new; do installed_as "$manager" "$package"; done)
    [ -z "$new" ] || put installed "$([ ! -r installed ] || cat installed; printf '%s\n' "$new")"
}
installed_as() { # MANAGER PACKAGE: the name under which it is there, if it is
    case $1 in
    apt) case $(dpkg-query -W -f '${db:Status-Status}' "$2" 2>/dev/null) in installed) printf '%s\n' "$2" ;; esac ;;
    dnf | yum | zypper) rpm -q --whatprovides --qf '%{NAME}\n' "$2" 2>/dev/null | while read -r name _; do
        case $name in no) ;; *) printf '%s\n' "$name" && break ;; esac
    done ;;
    pacman) pacman -Qq "$2" 2>/dev/null ;;
    apk) apk info -e "$2" 2>/dev/null ;;
    opkg) case $(opkg status "$2" 2>/dev/null) in *' installed'*) printf '%s\n' "$2" ;; esac ;;
    esac
}
install_once() { # MANAGER REFRESH PACKAGE...: with new lists of packages where the old ones did not do
    manager=$1 refresh=$2
    shift 2
    export DEBIAN_FRONTEND=noninteractive ZYPP_LOCK_TIMEOUT=60
    case $manager in
    apt)
        [ -z "$refresh" ] || apt-get update -qq || return 1
        apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=60 \
            -o Dpkg::Options::=--force-confold "$@"
        ;;
    dnf | yum)
        if [ -n "$refresh" ]; then
            # In the RHEL family some of it is only in EPEL.
            "$manager" -q -y install epel-release >/dev/null 2>&1 || :
            "$manager" -q clean expire-cache || return 1
        fi
        "$manager" -q -y --setopt=install_weak_deps=False --setopt=exit_on_lock=True install "$@"
        ;;
    zypper)
        [ -z "$refresh" ] || zypper -n -q refresh || return 1
        zypper -n -q --no-refresh install --no-recommends "$@"
        case $? in 0 | 102 | 103 | 107) ;; *) return 1 ;; esac
        ;;
    pacman) # new lists without an upgrade of all would be a partial upgrade, which Arch does not support
        pacman -S --noconfirm --needed --noprogressbar "$@" && return 0
        [ -z "$refresh" ] || echo "maybe its lists are older than the mirrors; upgrade that host first: pacman -Syu"
        return 1
        ;;
    apk) apk add -q --wait 300 ${refresh:+--update-cache} "$@" ;;
    opkg)
        [ -z "$refresh" ] || opkg update >/dev/null || return 1
        opkg install "$@"
        ;;
    esac
}
remove_packages() { # MANAGER PACKAGE...: those and no other; where something needs one of them, none goes
    manager=$1
    shift
    for other in "${directory%/*}"/*/boot; do
        case $other in "$directory/boot" | *'*'*) continue ;; esac
        echo "kept, for the network of $other: $*"
        rm -f installed
        return 0
    done
    case $manager in
    apt) dpkg -r "$@" ;;
    dnf | yum | zypper) rpm -e "$@" ;;
    pacman) pacman -R --noconfirm --noprogressbar "$@" ;;
    apk) apk del -q --wait 300 "$@" ;;
    opkg) opkg remove "$@" ;;
    *) false ;;
    esac && rm -f installed
}
cannot_install() { echo "no package manager that wgorch knows; please install: $*"; return 1; }

lock_holder() { # MANAGER: who keeps it from working, as "NAME (pid N)"; nothing where nobody does
    case $1 in
    apt) lock_files='/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock' ;;
    dnf | yum) # dnf 4 writes its pid; dnf 5 and rpm itself lock files
        lock_pidfiles /var/lib/dnf/rpmdb_lock.pid /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid \
            /run/yum.pid && return 0
        lock_files='/run/dnf/rpmtransaction.lock /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock' ;;
    zypper)
        lock_pidfiles /run/zypp.pid && return 0
        lock_files='/var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock' ;;
    pacman) lock_open /var/lib/pacman/db.lck; return 0 ;;
    apk) lock_files='/lib/apk/db/lock /usr/lib/apk/db/lock /run/apk/db.lock' ;;
    opkg) lock_files='/var/lock/opkg.lock /tmp/lock/opkg.lock' ;;
    *) return 0 ;;
    esac
    [ -r /proc/locks ] || return 0
    # /proc/locks names the pids that hold any lock; which file it is, their own open files say (sure on an overlay too).
    for lock_file in $lock_files; do # the frontend's lock comes first: rather apt-get than its dpkg
        [ -e "$lock_file" ] || continue
        lock_seen=' '
        while read -r _ lock_kind _ _ lock_pid _; do
            [ "$lock_kind" != '->' ] && [ -d "/proc/$lock_pid" ] || continue
            case $lock_seen in *" $lock_pid "*) continue ;; esac
            lock_seen="$lock_seen$lock_pid "
            for lock_fd in /proc/"$lock_pid"/fd/*; do
                [ "$lock_fd" -ef "$lock_file" ] || continue
                lock_is_held "/proc/$lock_pid/fdinfo/${lock_fd##*/}" || continue
                lock_name "$lock_pid"
                return 0
            done
        done </proc/locks
    done
    return 0
}
lock_is_held() { # a process can have the file open and wait for it: only its own lock has a line there
    while read -r lock_word _; do [ "$lock_word" != lock: ] || return 0; done <"$1" 2>/dev/null
    return 1
}
lock_pidfiles() { # FILE...: of the first whose process lives
    for lock_file; do
        lock_pid=
        [ ! -r "$lock_file" ] || read -r lock_pid <"$lock_file" 2>/dev/null || :
        case $lock_pid in '' | *[!0-9]*) continue ;; esac
        # dnf and zypper too believe in any living process of that number, whatever it is
        [ -d "/proc/$lock_pid" ] || continue
        lock_name "$lock_pid"
        return 0
    done
    return 1
}
lock_open() { # FILE that is a lock by being there: its holder keeps it open, and takes it away at the end
    [ -e "$1" ] || return 0
    for lock_pid in /proc/[0-9]*; do
        lock_pid=${lock_pid#/proc/}
        for lock_fd in /proc/"$lock_pid"/fd/*; do
            if [ "$lock_fd" -ef "$1" ]; then lock_name "$lock_pid"; return 0; fi
        done
    done
    [ ! -e "$1" ] || echo "a dead process that left $1"
}
lock_name() { # PID
    lock_comm='?'
    { read -r lock_comm </proc/"$1"/comm; } 2>/dev/null || :
    if [ ${#lock_comm} -ge 15 ]; then # the kernel cuts it there; the command line has all of it
        for lock_word in $(tr '\0 ' '\n_' 2>/dev/null </proc/"$1"/cmdline); do
            case ${lock_word##*/} in "$lock_comm"*) lock_comm=${lock_word##*/}; break ;; esac
        done
    fi
    echo "$lock_comm (pid $1)"
}
