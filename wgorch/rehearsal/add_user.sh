#!/bin/sh
# add_user.sh USER RIGHTS PASSWORD: add a user who logs in with root's authorized keys.
#   RIGHTS     what sudo permits, as in sudoers; may be empty
#   PASSWORD   a hash; one that no password matches, as sshd without PAM takes an empty one for a locked account
set -e
user=$1 rights=$2 password=$3
home=/home/$user
useradd -M -N -g nogroup -d "$home" -s /bin/sh -p "$password" "$user"
install -d -m 700 -o "$user" "$home" "$home/.ssh"
install -m 600 -o "$user" /root/.ssh/authorized_keys "$home/.ssh/"
[ -n "$rights" ] || exit 0
printf '%s ALL=(root) %s\n' "$user" "$rights" >"/etc/sudoers.d/$user"
chmod 440 "/etc/sudoers.d/$user"
