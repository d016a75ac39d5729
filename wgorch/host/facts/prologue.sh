# The fact script: what a plan must know of a host. It changes nothing. This file declares its parameters and has what all
# nouns use; each noun declares those that it uses; order.sh asks them in their order, by scope. All of it becomes one
# function; the shell itself reads values where that saves a process.
: "${network:?}" "${zone:?}" "${interfaces:?}" "${ipv6:?}" "${exits:?}" "${secrets:?}" "${no_counters:?}" "${table:?}"
: "${ports_hex:?}" "${key_source?}" "${scope:?}" "${managed_nft:?}" "${nonce:?}"
# shellcheck disable=SC2034 # the nouns use it
directory=/var/lib/wgorch/$network
# Seconds of CPU of each process that reads, and KiB of its memory: one that runs away ends by itself.
# POSIX has neither; dash, bash and busybox have both.
eval 'ulimit -t 30; ulimit -v 2097152' 2>/dev/null

# Begin a section of the answer.
section() { # NAME
    printf '\n%s %s\n' "$nonce" "$1"
}

# Say that a tool failed, at the end of its section: nothing is concluded from what it did not say.
unread() { # STATUS COMMAND
    section failed
    printf '%s %s\n' "$1" "$2"
}

# True if a file can be read, and no FIFO lets the reader wait.
can_read() { # FILE
    [ -f "$1" ] && [ -r "$1" ]
}

# The first line of a file in line; empty if it cannot be read.
read_line() { # FILE
    line=
    can_read "$1" && IFS= read -r line <"$1"
}

# Print a fact from the first line of a file.
print_fact() { # NAME FILE
    read_line "$2"
    printf '%s %s\n' "$1" "$line"
}

# Print the lines of a file behind a word.
print_lines() { # WORD FILE
    can_read "$2" && while IFS= read -r line || [ -n "$line" ]; do printf '%s%s\n' "$1" "$line"; done <"$2"
}

# Print a file, each line with a bar before it.
print_file() { # FILE
    can_read "$1" || return 0
    printf 'file %s\n' "$1"
    while IFS= read -r line || [ -n "$line" ]; do printf '|%s\n' "$line"; done <"$1"
}
