# Packages, by the host's own manager. Nothing else is upgraded, and whatever works with packages already is waited for.
: "${directory:?}"

# Install packages, and note in `installed` those that were not there.
install_packages() { # MANAGER PACKAGE...
    manager=$1 refresh='' waited=0 announced='' new=''
    shift
    for package; do [ -n "$(installed_as "$manager" "$package")" ] || new="$new $package"; done
    while :; do
        holder=$(lock_holder "$manager")
        if [ -z "$holder" ]; then
            output=$(install_once "$manager" "$refresh" "$@" 2>&1) && break
            holder=$(lock_holder "$manager")
        fi
        if [ -z "$holder" ]; then
            [ -z "$refresh" ] || {
                printf '%s\n' "$output"
                return 1
            }
            refresh=yes
            continue
        fi
        [ "$holder" = "$announced" ] || printf '@wait for %s, which %s holds\n' "$manager" "$holder"
        announced=$holder waited=$((waited + 1))
        [ "$waited" -le 300 ] || {
            echo "$manager is held by $holder for more than 300 s"
            return 1
        }
        sleep 1
    done
    new=$(for package in $new; do installed_as "$manager" "$package"; done)
    [ -z "$new" ] || write_atomic installed "$([ ! -r installed ] || cat installed; printf '%s\n' "$new")"
}

# Print the name under which a package is installed, if it is.
installed_as() {
    asked=$1 wanted=$2
    case $asked in
    apt) case $(dpkg-query -W -f '${db:Status-Status}' "$wanted" 2>/dev/null) in installed) printf '%s\n' "$wanted" ;; esac ;;
    dnf | yum | zypper)
        rpm -q --whatprovides --qf '%{NAME}\n' "$wanted" 2>/dev/null | while read -r name _; do
            case $name in no) ;; *) printf '%s\n' "$name" && break ;; esac
        done
        ;;
    pacman) pacman -Qq "$wanted" 2>/dev/null ;;
    apk) apk info -e "$wanted" 2>/dev/null ;;
    opkg) case $(opkg status "$wanted" 2>/dev/null) in *' installed'*) printf '%s\n' "$wanted" ;; esac ;;
    esac
}

# Install packages; REFRESH is not empty if the lists of packages must be renewed first.
install_once() { # MANAGER REFRESH PACKAGE...
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
    pacman)
        # New lists without an upgrade of everything are a partial upgrade, which Arch does not support.
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

# Remove packages and no others: none if another network is on this host, or if something needs one of them.
remove_packages() { # MANAGER PACKAGE...
    manager=$1
    shift
    for other in "${directory%/*}"/*/boot; do
        case $other in "$directory/boot" | *'*'*) continue ;; esac
        echo "kept, for the network of $other: $*"
        [ ! -r installed ] || cat installed >>"${other%/*}/installed" || return 1
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

# Fail where there is no package manager to install with.
cannot_install() { # COMMAND...
    echo "no package manager that wgorch knows; please install: $*"
    return 1
}

# Print what keeps a manager from working, as "NAME (pid N)"; nothing if it is free.
lock_holder() {
    manager=$1 lock_files=''
    case $manager in
    apt) lock_files='/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock' ;;
    dnf | yum)
        # dnf 4 writes its pid; dnf 5 and rpm itself lock files.
        pidfile_holder /var/lib/dnf/rpmdb_lock.pid /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid \
            /run/yum.pid && return 0
        lock_files='/run/dnf/rpmtransaction.lock /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock'
        ;;
    zypper)
        pidfile_holder /run/zypp.pid && return 0
        lock_files='/var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock'
        ;;
    pacman) presence_holder /var/lib/pacman/db.lck && return 0 ;;
    apk) lock_files='/lib/apk/db/lock /usr/lib/apk/db/lock /run/apk/db.lock' ;;
    opkg) lock_files='/var/lock/opkg.lock /tmp/lock/opkg.lock' ;;
    esac
    # The frontend's lock comes first: rather apt-get than its dpkg.
    for lock_file in $lock_files; do kernel_lock_holder "$lock_file" && return 0; done
    return 0
}

# Print the process that holds a kernel lock on a file; false if none does.
kernel_lock_holder() {
    locked_file=$1 seen=' '
    [ -e "$locked_file" ] && [ -r /proc/locks ] || return 1
    # /proc/locks names the pids that hold any lock; which file it is, their own open files say (sure on an overlay too).
    while read -r _ kind _ _ pid _; do
        [ "$kind" != '->' ] && [ -d "/proc/$pid" ] || continue
        case $seen in *" $pid "*) continue ;; esac
        seen="$seen$pid "
        for fd in /proc/"$pid"/fd/*; do
            # shellcheck disable=SC3013 # dash, bash and busybox have -ef
            [ "$fd" -ef "$locked_file" ] || continue
            is_locked "/proc/$pid/fdinfo/${fd##*/}" || continue
            process_name "$pid"
            return 0
        done
    done </proc/locks
    return 1
}

# True if the process itself holds a lock: one that has the file open and waits has no such line.
is_locked() { # FDINFO
    while read -r word _; do [ "$word" != lock: ] || return 0; done <"$1" 2>/dev/null
    return 1
}

# Print the first living process that a pid file names; false if none does.
pidfile_holder() { # FILE...
    for pidfile; do
        pid=
        [ ! -r "$pidfile" ] || read -r pid <"$pidfile" 2>/dev/null || :
        case $pid in '' | *[!0-9]*) continue ;; esac
        # dnf and zypper too believe in any living process of that number.
        [ -d "/proc/$pid" ] || continue
        process_name "$pid"
        return 0
    done
    return 1
}

# Print the holder of a file that locks by its presence: its holder keeps it open and removes it at the end.
presence_holder() { # FILE
    [ -e "$1" ] || return 1
    for process in /proc/[0-9]*; do
        for fd in "$process"/fd/*; do
            # shellcheck disable=SC3013
            [ "$fd" -ef "$1" ] || continue
            process_name "${process#/proc/}"
            return 0
        done
    done
    [ ! -e "$1" ] || echo "a dead process that left $1"
}

# Print "NAME (pid N)" of a process.
process_name() { # PID
    comm='?'
    { read -r comm <"/proc/$1/comm"; } 2>/dev/null || :
    if [ ${#comm} -ge 15 ]; then
        # The kernel cuts it there; the command line has all of it.
        for argument in $(tr '\0 ' '\n_' 2>/dev/null <"/proc/$1/cmdline"); do
            case ${argument##*/} in "$comm"*)
                comm=${argument##*/}
                break
                ;;
            esac
        done
    fi
    echo "$comm (pid $1)"
}
