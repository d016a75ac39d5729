"""firewalld's zone and policies: settings from iptables rules, their files, and what firewall-cmd prints of them."""

from __future__ import annotations

from wgorch.adapters.firewalld import base_name, files, objects, settings, shown_settings
from wgorch.state.rules import Chain, rule

MARK, BASE = "wgorch:office", "wgo-office"
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'

CHAINS = {
    Chain("filter", "INPUT", "i"): (rule("-p udp --dport 38371", MARK, "ACCEPT"),),
    Chain("filter", "FORWARD", "f"): (
        rule("-i wg0 -o wg0", MARK, "ACCEPT"),
        rule("-d 10.10.13.0/24 -i wg0 -o ens192", MARK, "ACCEPT"),
        rule("-s 10.10.13.0/24 -i ens192 -o wg0", MARK, "ACCEPT"),
        rule("-m conntrack --ctstate RELATED,ESTABLISHED", MARK, "ACCEPT"),
    ),
    Chain("filter6", "FORWARD", "f"): (rule("-s fd10::/64 -i wg0 -o ens192", MARK, "ACCEPT"),),
    Chain("nat", "POSTROUTING", "n"): (rule("-o ens192", MARK, "MASQUERADE"),),
}
SETTINGS = frozenset(
    {
        "wgo-office interface wg0",
        "wgo-office forward yes",
        'wgo-office-in rule rule family="ipv4" destination address="10.10.13.0/24" accept',
        'wgo-office-in rule rule family="ipv6" source address="fd10::/64" accept',
        'wgo-office-out rule rule family="ipv4" source address="10.10.13.0/24" accept',
        "wgo-office-udp port 38371/udp",
    }
)
DEFAULT_ZONE = """\
<?xml version="1.0"?>
<zone target="DROP">
  <!-- <service name="telnet"/> -->
  <interface name="eth0"/>
  <service name="ssh"/><port port="1" protocol="tcp"/>
  <rule family="ipv4"><service name="limited"/><accept/></rule>
  <icmp-block-inversion/>
</zone>"""


def test_settings_equal_the_filter_rules() -> None:
    assert SETTINGS == settings(BASE, ("wg0",), CHAINS)


def test_no_filter_rules_no_settings() -> None:
    assert frozenset() == settings(BASE, ("wg0",), dict.fromkeys(CHAINS, ()))


def test_the_zone_accepts_what_the_default_zone_accepts() -> None:
    assert (
        files(BASE, MARK, SETTINGS, DEFAULT_ZONE)[BASE]
        == f"""\
{HEAD}<zone target="DROP">
  <short>wgorch:office</short>
  <interface name="wg0"/>
  <service name="ssh"/>
  <port port="1" protocol="tcp"/>
  <icmp-block-inversion/>
  <forward/>
</zone>"""
    )


def test_the_policies_hold_the_rules() -> None:
    texts = files(BASE, MARK, SETTINGS, "")

    assert (
        texts[f"{BASE}-in"]
        == f"""\
{HEAD}<policy target="CONTINUE">
  <short>wgorch:office</short>
  <rule family="ipv4">
    <destination address="10.10.13.0/24"/>
    <accept/>
  </rule>
  <rule family="ipv6">
    <source address="fd10::/64"/>
    <accept/>
  </rule>
  <ingress-zone name="wgo-office"/>
  <egress-zone name="ANY"/>
</policy>"""
    )
    assert (
        texts[f"{BASE}-udp"]
        == f"""\
{HEAD}<policy target="CONTINUE">
  <short>wgorch:office</short>
  <port port="38371" protocol="udp"/>
  <ingress-zone name="ANY"/>
  <egress-zone name="HOST"/>
</policy>"""
    )


def test_without_settings_the_files_have_no_effect() -> None:
    texts = files(BASE, MARK, frozenset(), "")

    assert list(objects(BASE)) == list(texts)
    assert f"{HEAD}<zone>\n  <short>wgorch:office</short>\n</zone>" == texts[BASE]
    assert not [text for text in texts.values() if "<rule" in text or "<port" in text or "<interface" in text]


def test_what_firewall_cmd_prints() -> None:
    printed = """\
wgo-office (active)
  target: default
  interfaces: wg0
  ports: 1/tcp
  forward: yes
public (active)
  interfaces: eth0
  forward: yes
wgo-office-in (active)
  priority: -1
  rich rules:
	rule family="ipv4" destination address="10.10.13.0/24" accept
	rule family="ipv6" source address="fd10::/64" accept
wgo-office-out (active)
  rich rules:
	rule family="ipv4" source address="10.10.13.0/24" accept
wgo-office-udp (active)
  ports: 38371/udp"""

    assert SETTINGS == shown_settings(BASE, printed.split("\n"))


def test_names_fit_the_limit_of_firewalld() -> None:
    assert BASE == base_name("office")
    assert 17 >= max(map(len, objects(base_name("a-long-network"))))
