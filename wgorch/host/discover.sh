# The networks of wgorch on a host: "network NAME [INTERFACE]", by their directories and by the marks of interfaces.
for path in /var/lib/wgorch/*/; do
    [ -d "$path" ] || continue
    name=${path%/}
    name=${name##*/}
    printf 'network %s \n' "$name"
    [ -f "$path/boot" ] && while read -r mark word value; do
        [ "$mark $word" = '#: interface' ] && printf 'network %s %s\n' "$name" "$value"
    done <"$path/boot"
done
for path in /sys/class/net/*; do
    alias=
    [ -r "$path/ifalias" ] && read -r alias <"$path/ifalias"
    case $alias in wgorch:*) printf 'network %s %s\n' "${alias#wgorch:}" "${path##*/}" ;; esac
done
