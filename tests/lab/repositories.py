"""Small local package repositories inside one machine of a world; no network, nothing outside of the machine's overlay.

Each of dnf, zypper, pacman, apt (world, machine): takes the files of PACKAGES off the machine, keeps copies, builds a
repository of them, makes the manager use only that one. `only` also hides the other managers. Metadata are NOT fetched
yet (as on a fresh host); `publish` makes a newer version and drops the old one, so that fetched metadata are stale.
With slow=N there is a package "slow" too, whose installation takes N seconds: a real holder of the manager's lock.
"""

from __future__ import annotations

from typing import Any

Packages = dict[str, tuple[str, ...]]
PACKAGES: Packages = {"wireguard-tools": ("/usr/bin/wg",)}
MANAGERS = {"apt": "apt-get apt", "dnf": "dnf dnf-3 yum", "zypper": "zypper", "pacman": "pacman"}
REPO = "/var/lib/world-repo"  # below an overlay, readable for _apt

# /var/cache and /var/tmp are the real machine's: this machine gets its own.
_COMMON = r"""
set -eu
umask 022
export TMPDIR=/run
for place in /var/cache /var/tmp; do
    mountpoint -q $place || mount -t tmpfs -o mode=755,size=256m own $place
done
chmod 1777 /var/tmp
repo=/var/lib/world-repo
version=${VERSION:-1.0}
take() { # PACKAGE FILE...: copies of the files, then the files are gone
    name=$1; shift
    for file; do
        [ -e "$repo/files/$name$file" ] || [ -L "$repo/files/$name$file" ] || {
            mkdir -p "$repo/files/$name${file%/*}"; cp -a "$file" "$repo/files/$name$file"
        }
        rm -f "$file"
    done
}
"""

_RPM = r"""
printf '%%_dbpath /var/lib/rpm\n%%_tmppath /run\n' >/root/.rpmmacros   # Debian's rpm would use /root/.rpmdb
rm -rf $repo/rpm; mkdir -p $repo/rpm
build() { # PACKAGE FILE...
    name=$1; shift
    {
        printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: test\nLicense: none\nAutoReqProv: no\n' "$name" "$version"
        [ "$name" != base-of-world ] || echo 'Provides: /bin/sh'
        printf '%%description\ntest\n'
        [ -z "${after-}" ] || printf '%%post\n%s\n' "$after"
        printf '%%install\ncp -a %s/. %%{buildroot}/\n%%files\n' "$repo/files/$name"
        printf '%s\n' "$@"
    } >/run/package.spec
    rpmbuild -bb --quiet -D '_topdir /run/rpmbuild' -D "_rpmdir $repo/rpm" -D 'debug_package %{nil}' \
        -D '__os_install_post %{nil}' -D '_binary_payload w0.gzdio' /run/package.spec >/run/rpmbuild.log 2>&1 ||
        { cat /run/rpmbuild.log; exit 1; }
}
# An rpm database is never empty on a real host, and zypper fails (exit 8) after removing the last package of one.
rpm -q base-of-world >/dev/null 2>&1 || {
    (name=base-of-world; mkdir -p $repo/files/$name/etc; echo base >$repo/files/$name/etc/base-of-world; build $name /etc/base-of-world)
    rpm -i --nosignature $repo/rpm/*/base-of-world-*.rpm; rm $repo/rpm/*/base-of-world-*.rpm
}
index() { createrepo_c -q --simple-md-filenames --no-database $repo/rpm; rm -rf /run/rpmbuild; }
"""

_DNF = r"""
mkdir -p /etc/yum.repos.d /etc/dnf/vars
rm -f /etc/yum.repos.d/*
echo 9 >/etc/dnf/vars/releasever
printf '[main]\ngpgcheck=1\nbest=1\nskip_if_unavailable=0\n' >/etc/dnf/dnf.conf
printf '[local]\nname=local\nbaseurl=file://%s/rpm\nenabled=1\ngpgcheck=0\n' $repo >/etc/yum.repos.d/local.repo
"""

_ZYPPER = r"""
mkdir -p /etc/zypp/repos.d /etc/zypp/services.d /etc/products.d
rm -f /etc/zypp/repos.d/* /etc/zypp/services.d/*
printf '[local]\nname=local\nbaseurl=file://%s/rpm\nenabled=1\nautorefresh=%s\ntype=rpm-md\ngpgcheck=0\n' $repo ${AUTOREFRESH:-1} \
    >/etc/zypp/repos.d/local.repo
"""

_PACMAN = r"""
rm -rf $repo/pacman; mkdir -p $repo/pacman /run/db /etc/pacman.d /var/lib/pacman/local /var/lib/pacman/sync /var/cache/pacman/pkg
build() { # PACKAGE FILE...
    name=$1
    file=$name-$version-1-x86_64.pkg.tar.gz
    printf 'pkgname = %s\npkgbase = %s\npkgver = %s-1\npkgdesc = test\nbuilddate = 1\nsize = 1\narch = x86_64\n' \
        "$name" "$name" "$version" >/run/.PKGINFO
    rm -f /run/.INSTALL
    [ -z "${after-}" ] || printf 'post_install() {\n%s\n}\n' "$after" >/run/.INSTALL
    tar -czf $repo/pacman/$file --owner=0 --group=0 -C /run .PKGINFO ${after:+.INSTALL} -C $repo/files/$name $(ls $repo/files/$name)
    mkdir -p /run/db/$name-$version-1
    sum=$(sha256sum $repo/pacman/$file)
    printf '%%FILENAME%%\n%s\n\n%%NAME%%\n%s\n\n%%VERSION%%\n%s-1\n\n%%CSIZE%%\n%s\n\n%%SHA256SUM%%\n%s\n\n%%ARCH%%\nx86_64\n' \
        "$file" "$name" "$version" "$(stat -c %s $repo/pacman/$file)" "${sum%% *}" >/run/db/$name-$version-1/desc
}
index() { # (a repository may not be called "local": that is pacman's own database)
    tar -czf $repo/pacman/world.db -C /run/db $(ls /run/db)
    rm -rf /run/db /run/.PKGINFO
    printf '[options]\nArchitecture = auto\nSigLevel = Never\n[world]\nSigLevel = Never\nServer = file://%s/pacman\n' $repo >/etc/pacman.conf
}
"""

_DEB = r"""
forget() { # PACKAGE: dpkg never heard of it, and nothing installed depends on it (a purge takes seconds and leaves that broken)
    perl -0777 -i -pe 's/^Package: \Q'"$1"'\E\n.*?\n\n//ms; s/^((?:Pre-)?Depends): (.*)$/my ($k, @d) = ($1,
        grep { !m{(^|\|)\s*\Q'"$1"'\E\b(?!-)} } split m{,\s*}, $2); @d ? "$k: " . join(", ", @d) : "X-None: none"/gme' /var/lib/dpkg/status
    rm -f /var/lib/dpkg/info/$1.* /var/lib/dpkg/info/$1:*
}
rm -rf $repo/deb /etc/apt/sources.list.d/* /var/lib/apt/lists/*; mkdir -p $repo/deb
build() { # PACKAGE FILE...
    name=$1
    [ -n "${PUBLISH-}" ] || forget "$name"
    tree=$repo/files/$name
    mkdir $tree/DEBIAN
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: test\n' "$name" "$version" \
        >$tree/DEBIAN/control
    [ -z "${after-}" ] || { printf '#!/bin/sh\n%s\n' "$after" >$tree/DEBIAN/postinst; chmod 755 $tree/DEBIAN/postinst; }
    dpkg-deb -Znone --root-owner-group --build $tree $repo/deb >/dev/null
    rm -r $tree/DEBIAN
}
index() {
    (cd $repo/deb; dpkg-scanpackages -m . >Packages 2>/dev/null)
    echo "deb [trusted=yes] file:$repo/deb ./" >/etc/apt/sources.list
}
"""

_PARTS = {"dnf": _RPM + _DNF, "zypper": _RPM + _ZYPPER, "pacman": _PACMAN, "apt": _DEB}


def _make(world: Any, machine: str, manager: str, packages: Packages, version: str, slow: int) -> None:
    lines = [f"VERSION={version}", _COMMON, _PARTS[manager]]
    if slow:
        lines += ["mkdir -p $repo/files/slow/etc; echo slow >$repo/files/slow/etc/slow"]
        lines += [f"after='sleep {slow}'; build slow /etc/slow; after="]
    for name, files in packages.items():
        lines += [f"take {name} {' '.join(files)}", f"build {name} {' '.join(files)}"]
    world.sh(machine, "\n".join([*lines, "index"]))


def dnf(world: Any, machine: str, packages: Packages = PACKAGES, version: str = "1.0", slow: int = 0) -> None:
    _make(world, machine, "dnf", packages, version, slow)


def zypper(world: Any, machine: str, packages: Packages = PACKAGES, version: str = "1.0", slow: int = 0) -> None:
    _make(world, machine, "zypper", packages, version, slow)


def pacman(world: Any, machine: str, packages: Packages = PACKAGES, version: str = "1.0", slow: int = 0) -> None:
    _make(world, machine, "pacman", packages, version, slow)


def apt(world: Any, machine: str, packages: Packages = PACKAGES, version: str = "1.0", slow: int = 0) -> None:
    _make(world, machine, "apt", packages, version, slow)


def only(world: Any, machine: str, manager: str) -> None:
    """Hide the programs of the other managers, so that the machine looks like a host of this one."""
    others = " ".join(v for k, v in MANAGERS.items() if k != manager)
    world.sh(machine, f"cd /usr/bin && rm -f {others}")


def publish(world: Any, machine: str, manager: str, version: str = "1.1") -> None:
    """A newer version in the repository, the older one is gone: what the host fetched before is stale."""
    # `take` finds its copies; apt's lists stay (they are what is stale)
    script = "\n".join([f"VERSION={version} PUBLISH=1", _COMMON, _PARTS[manager].replace("/var/lib/apt/lists/*", "")])
    for name, files in PACKAGES.items():
        script += f"\nbuild {name} {' '.join(files)}"
    world.sh(machine, script + "\nindex")
