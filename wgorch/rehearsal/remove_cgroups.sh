#!/bin/sh
# remove_cgroups.sh PREFIX: end what runs in the control groups of a world, and remove them; runs in a mount namespace of its
# own. A process may not be recorded: its world's was killed just after starting it.
prefix=$1
root=$(mktemp -d) && mount -t cgroup2 cgroup2 "$root" && cd "$root" || exit 0
# A group is busy until its last process is reaped.
for _ in 1 2 3 4 5; do
    for group in "$root/$prefix"*; do
        [ -d "$group" ] || continue
        echo 1 2>/dev/null >"$group/cgroup.kill" || find "$group" -name cgroup.procs -exec cat {} + |
            while read -r pid; do kill -9 "$pid" 2>/dev/null; done
        find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
    done
    ls -d "$root/$prefix"* >/dev/null 2>&1 || break
    sleep 0.1
done
cd /
umount "$root"
rmdir "$root"
