# Replace a login shell by root's /bin/sh: as root itself, or by sudo or doas without a password. Otherwise `why` is set.
#
# remote/root.py sends it as one line in single quotes, which sh, csh and fish read alike: no single quote, no
# exclamation mark; a line that does not end in `do` is a complete command.
#
# shellcheck disable=SC2034 # why: for what follows
#
# ready: a command that root's shell runs first; `:` for none

: "${ready:?}"
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
[ "$(id -u)" = 0 ] && { $ready; exec /bin/sh; }
# sudo drops SSH_CONNECTION, which has the port that people log in by.
shell="SSH_CONNECTION=\$1; export SSH_CONNECTION; exec /bin/sh"
why="neither sudo nor doas is installed"
for by in sudo doas; do
    command -v $by >/dev/null 2>&1 || continue
    why=$($by -n /bin/sh -c : 2>&1 </dev/null) && exec $by -n /bin/sh -c "$ready; $shell" sh "${SSH_CONNECTION-}"
done
