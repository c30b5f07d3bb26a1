# Debian 12 in a folder, by debootstrap, from where this machine takes its own packages. Sourced by the suites `images`
# and `fresh`; needs root.
# shellcheck shell=bash

DEBIAN_CODENAME=bookworm
CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt

# "SITE RELEASE COMPONENT" of each source of Debian's that this machine has for that release.
debian_sources() {
  apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
    awk -v codename="$DEBIAN_CODENAME" '$4 == "Debian" && $2 ~ "^" codename { print $1, $2, $3 }' | sort -u
}

# What apt is told here about reaching and believing them: proxies, dates.
debian_apt_settings() {
  apt-config dump Acquire | sed -nE '/^Acquire::(http|https|Retries|Check)/p'
}

# debian_root DIR: the smallest Debian there is, `apt-get update` not done.
debian_root() {
  local root=$1 site

  site=$(debian_sources | awk -v codename="$DEBIAN_CODENAME" '$2 == codename && $3 == "main" { print $1; exit }')
  [ -n "$site" ] || {
    echo "this machine's apt has no source of Debian $DEBIAN_CODENAME: apt-get update" >&2
    return 1
  }
  debootstrap --variant=minbase "$DEBIAN_CODENAME" "$root" "$site" || return
  debian_sources | sed 's/^/deb /' >"$root/etc/apt/sources.list"
  debian_apt_settings >"$root/etc/apt/apt.conf.d/90this-machine"
  # As in Debian's image: what was installed does not stay beside as a package.
  printf 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin"; };\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n' \
    >"$root/etc/apt/apt.conf.d/docker-clean"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  # Whoever looks into this machine's TLS is believed there too, also when ca-certificates is installed and makes a new bundle.
  install -D -m 644 "$CA_BUNDLE" "$root$CA_BUNDLE"
  cp -r /usr/local/share/ca-certificates "$root/usr/local/share/"
}

# For a .npmrc: where this machine's npm takes packages from, and whom it believes.
debian_npm_settings() {
  printf 'registry=%s\ncafile=%s\n' "$(npm config get registry)" "$CA_BUNDLE"
}
