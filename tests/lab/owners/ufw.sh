# Turns ufw on on this machine of a world: incoming denied but SSH, routed denied. `builtins=yes` before it: MANAGE_BUILTINS.
set -eu
[ "${builtins:-no}" = no ] || sed -i 's/^MANAGE_BUILTINS=.*/MANAGE_BUILTINS=yes/' /etc/default/ufw
ufw allow ssh
ufw default deny incoming
ufw default deny routed
if [ "$(cat /proc/1/comm)" = systemd ]; then
    cp /lib/systemd/system/ufw.service /etc/systemd/system/ # in /etc it wins over the world's mask, also after a reboot
    rm -f /run/systemd/system/ufw.service
    systemctl daemon-reload
fi
ufw --force enable
[ "$(cat /proc/1/comm)" != systemd ] || systemctl start ufw.service
