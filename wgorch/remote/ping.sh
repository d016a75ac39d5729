# iputils' ping where it is there; another one (busybox) is given only the words that it knows, without -n, -i and -M.
case $(ping -V 2>&1) in
*iputils*) ;;
*)
    ping() {
        words='' word=''
        for next; do
            case $next in
            -n | -q) ;;
            *)
                case $word in -i | -M) ;; ?*) words="$words $word" ;; esac
                case $word in -i | -M) word='' ;; *) word=$next ;; esac
                ;;
            esac
        done
        # shellcheck disable=SC2086
        command ping $words $word
    }
    ;;
esac
