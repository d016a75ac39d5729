# Starts Debian's dockerd on this machine of a world: by its units where systemd is the init, else by itself. No registry.
set -eu
# containerd makes /opt/containerd, and /opt is the real machine's.
mkdir -p /run/opt; mount -t tmpfs -o size=1m opt /opt
if [ "$(cat /proc/1/comm)" = systemd ]; then
    mkdir -p /etc/docker
    printf '{"storage-driver": "vfs"}\n' >/etc/docker/daemon.json
    # In /etc they win over the world's masks, also after a reboot.
    for unit in docker.service docker.socket containerd.service; do
        cp /lib/systemd/system/$unit /etc/systemd/system/
        rm -f /run/systemd/system/$unit
    done
    systemctl daemon-reload
    systemctl start docker.service
else
    setsid /usr/sbin/dockerd --storage-driver vfs >/run/dockerd.log 2>&1 </dev/null &
fi
tries=0
until /usr/bin/docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 150 ] || { tail -20 /run/dockerd.log; journalctl -u docker -n 20; exit 1; } >&2
    sleep 0.1
done
