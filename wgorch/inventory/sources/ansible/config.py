"""What an ansible.cfg says of logins: weaker than every variable."""

from __future__ import annotations

import configparser
import re

from wgorch.inventory.nodes import Scalar
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.ansible.groups import Variables

FILE = "ansible.cfg"

SETTINGS = {
    ("defaults", "remote_user"): "ansible_user",
    ("defaults", "remote_port"): "ansible_port",
    ("defaults", "private_key_file"): "ansible_private_key_file",
    ("ssh_connection", "ssh_args"): "ansible_ssh_args",
    ("ssh_connection", "ssh_common_args"): "ansible_ssh_common_args",
    ("ssh_connection", "ssh_extra_args"): "ansible_ssh_extra_args",
}
"""Variables by section and setting."""


def read_config(text: str, file: str, problems: Problems) -> Variables:
    """The variables that a configuration stands for; none where a problem was added."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=(";",))
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line = getattr(error, "lineno", 0) or next(iter(getattr(error, "errors", [(1, "")])))[0]
        problems.add(
            Scalar(line, 1, "", True, file), "", "is no configuration of Ansible's", "ansible-config dump shows it"
        )
        return {}
    found: Variables = {}
    for (section, setting), variable in SETTINGS.items():
        value = parser.get(section, setting, fallback="").strip()
        if value:
            at = _place(text, setting, file)
            found[variable] = (at._replace(text=variable), at._replace(text=value, plain=False))
    return found


def _place(text: str, setting: str, file: str) -> Scalar:
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(rf"\s*{setting}\s*[=:]", line, re.I):
            return Scalar(number, 1, "", True, file)
    return Scalar(1, 1, "", True, file)
