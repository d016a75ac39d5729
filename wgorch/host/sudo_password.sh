# Replace a login shell by root's /bin/sh with a password, which sudo asks for; it follows become_root.sh, in its form.
#
# shellcheck disable=SC2154 # ready, shell: as there
#
# prompt: what sudo asks with; on a terminal too, since -S reads standard input

: "${prompt:?}"
command -v sudo >/dev/null 2>&1 && exec sudo -S -p "$prompt" /bin/sh -c "$ready; $shell" sh "${SSH_CONNECTION-}" 2>&1
