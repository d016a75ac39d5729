# Policy rules, and wgorch's own routing table.
: "${table:?}"

ask_exits() {
    for family in -4 -6; do
        section "policy $family"
        ip "$family" rule show 2>/dev/null
        section "exit-routes $family"
        ip "$family" route show table "$table" 2>/dev/null
    done
}
