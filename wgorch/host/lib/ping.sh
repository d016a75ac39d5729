# Another ping than iputils' (busybox's) is given only the words that it knows, without -n, -i, -l and -M.
know_ping() {
    case $(ping -V 2>&1) in *iputils*) return ;; esac
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
        # shellcheck disable=SC2086
        command ping $words $word
    }
}
