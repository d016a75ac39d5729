#!/bin/sh
# Become one machine of a world: mounts, cgroup, network, host name and process ids of its own; then start its init.
# Runs twice: `node.sh outer …` in a new mount namespace, then `node.sh inner …` in all the others.
#   PART   outer or inner
#   DISK   directory of the machine's own files; survives reboots
#   NAME   host name
#   INIT   systemd, or none (a process that only reaps)
#   GROUP  name of the machine's control group
#   ROOT   root directory of the files it starts from; empty for this machine's own
set -eu
part=$1 disk=$2 name=$3 init=$4 group=$5 root=$6

if [ "$part" = outer ]; then
    mkdir -p "$disk/cgroup"
    if mount -t cgroup2 cgroup2 "$disk/cgroup" 2>/dev/null; then
        mkdir -p "$disk/cgroup/$group"
        echo $$ >"$disk/cgroup/$group/cgroup.procs"
    fi
    exec unshare --cgroup --net --uts --ipc --pid --fork --kill-child=KILL sh "$0" inner "$disk" "$name" "$init" "$group" "$root"
fi

umask 022
hostname "$name"
for tree in etc home root usr var/lib; do
    mkdir -p "$disk/$tree.upper" "$disk/$tree.work"
    mount -t overlay -o "lowerdir=$root/$tree,upperdir=$disk/$tree.upper,workdir=$disk/$tree.work" overlay "/$tree"
done
umount "$disk/cgroup" 2>/dev/null || :
if [ ! -e "$disk/initialized" ]; then
    # At the first boot only: a reboot leaves the machine's files alone.
    tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
    echo "$name" >/etc/hostname
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$name" >/etc/hosts
    rm -f /etc/resolv.conf
    : >/etc/resolv.conf
    # A login starts as on a fresh system, without the settings of this machine's root.
    rm -f /root/.bashrc /root/.bash_profile /root/.bash_login /root/.profile /root/.zshenv /root/.ssh/rc
    for file in bashrc profile; do cp "/usr/share/base-files/dot.$file" "/root/.$file" 2>/dev/null || :; done
    : >"$disk/initialized"
fi

# Devices: none of this machine's disks.
mount -t tmpfs -o mode=755,size=1m dev "$disk/dev"
for device in null zero full random urandom tty net/tun; do
    [ -e "/dev/$device" ] || continue
    mkdir -p "$disk/dev/${device%/*}" 2>/dev/null || :
    [ -d "$disk/dev/net" ] || mkdir "$disk/dev/net"
    case $device in */*) ;; *) rmdir "$disk/dev/$device" 2>/dev/null || : ;; esac
    : >"$disk/dev/$device"
    mount --bind "/dev/$device" "$disk/dev/$device"
done
mkdir "$disk/dev/pts" "$disk/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$disk/dev/pts"
ln -s pts/ptmx "$disk/dev/ptmx"
ln -s /proc/self/fd "$disk/dev/fd"
ln -s /proc/self/fd/0 "$disk/dev/stdin"
ln -s /proc/self/fd/1 "$disk/dev/stdout"
ln -s /proc/self/fd/2 "$disk/dev/stderr"
mount --rbind "$disk/dev" /dev

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || :
mount -t tmpfs -o mode=755,size=64m run /run
mount -t tmpfs -o mode=755,size=64m log /var/log
mkdir -p /run/lock /run/sshd /etc/wireguard
# A boot id of its own; of /proc/sys only net is writable.
cat /proc/sys/kernel/random/uuid >/run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
mount --bind /proc/sys /proc/sys
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,ro /proc/sys
ip link set lo up
for place in all default; do echo 0 >"/proc/sys/net/ipv6/conf/$place/accept_dad"; done # no second of duplicate address detection

if [ "$init" = none ]; then
    # The shell reaps orphans while it waits for each sleep.
    exec sh -c 'while :; do sleep 5; done' wgorch-world
fi

# Only the units that a network host needs; none that would act on this machine.
mkdir -p /run/systemd/system /run/systemd/system-generators
keep=' systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket dbus.socket dbus.service '
for want in /lib/systemd/system/*.wants/* /etc/systemd/system/*.wants/* /lib/systemd/system/*.requires/*; do
    unit=${want##*/}
    case $unit in *.target | wgorch-* | '*') continue ;; esac
    case $keep in *" $unit "*) continue ;; esac
    ln -sf /dev/null "/run/systemd/system/$unit"
done
for unit in tmp.mount swap.target systemd-remount-fs.service systemd-tmpfiles-clean.service systemd-udevd.service \
    systemd-udev-trigger.service systemd-udev-settle.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
    systemd-networkd.service systemd-networkd.socket systemd-resolved.service systemd-timesyncd.service \
    systemd-hostnamed.service systemd-localed.service systemd-timedated.service systemd-logind.service \
    systemd-sysctl.service systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service systemd-sysusers.service \
    getty.target console-getty.service container-getty@.service getty@.service modprobe@.service \
    systemd-fsck-root.service systemd-initctl.service systemd-initctl.socket ssh.service ssh.socket polkit.service \
    user@.service systemd-journald-audit.socket systemd-journal-flush.service systemd-binfmt.service hwclock.service; do
    ln -sf /dev/null "/run/systemd/system/$unit"
done
for generator in /lib/systemd/system-generators/*; do
    ln -sf /dev/null "/run/systemd/system-generators/${generator##*/}"
done
mkdir -p /run/systemd/journald.conf.d
printf '[Journal]\nStorage=volatile\nReadKMsg=no\n' >/run/systemd/journald.conf.d/world.conf
systemd=/lib/systemd/systemd
[ -x "$systemd" ] || systemd=/usr/lib/systemd/systemd
# `container` keeps systemd from touching clock, modules and kernel log.
exec setpriv --bounding-set -sys_time,-sys_module,-sys_rawio,-syslog --inh-caps -sys_time,-sys_module,-sys_rawio,-syslog \
    env -i container=other LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "$systemd" --system --unit=multi-user.target --log-target=null --show-status=false
