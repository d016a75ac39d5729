# iputils' ping is asked for; busybox's has fewer options.

# Give another ping than iputils' only the words that it takes: without -n, -q, -i, -l and -M.
adapt_ping() {
    case $(ping -V 2>&1) in *iputils*) return ;; esac
    # shellcheck disable=SC2329 # called by callers of adapt_ping
    ping() {
        words='' word=''
        for next; do
            case $next in
            -n | -q) ;;
            *)
                case $word in -i | -l | -M) ;; ?*) words="$words $word" ;; esac
                case $word in -i | -l | -M) word='' ;; *) word=$next ;; esac
                ;;
            esac
        done
        # shellcheck disable=SC2086 # options, numbers and one address
        command ping $words $word
    }
}
