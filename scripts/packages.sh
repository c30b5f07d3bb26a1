# Installs what is missing of the lists, without starting any of the system's services.
# shellcheck shell=bash

PACKAGE_LISTS=(scripts/packages.txt scripts/packages-libraries.txt) # and those of single suites and of ./dev bench

POLICY_FILE=/usr/sbin/policy-rc.d

packages_wanted() {
  sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "${PACKAGE_LISTS[@]}"
  command -v node >/dev/null || printf '%s\n' nodejs npm
}

packages_missing() {
  local -A have=()
  local package status

  while read -r package status; do
    [ "$status" = ii ] && have[${package%%:*}]=1
  done < <(dpkg-query -W -f='${binary:Package} ${db:Status-Abbrev}\n')
  while read -r package; do
    [ -n "${have[$package]:-}" ] || printf '%s\n' "$package"
  done < <(packages_wanted)
}

# A package's install script asks this file whether it may start its service.
packages_refuse_services() {
  [ -e "$POLICY_FILE" ] && return
  trap 'as_root rm -f "$POLICY_FILE"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY_FILE" >/dev/null && as_root chmod 755 "$POLICY_FILE"
}

# In a shell of its own, so that its EXIT trap removes the policy file whatever happens. Lists of a
# fresh machine are empty or old, hence the update; a mirror that hiccups is tried again.
packages_install() (
  packages_refuse_services &&
    as_root apt-get -o Acquire::Retries=3 update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
      install -y --no-install-recommends "$@"
)

packages_ensure() {
  local missing

  command -v dpkg-query >/dev/null || die "needs Debian 12; elsewhere install what ${PACKAGE_LISTS[*]} names"
  mapfile -t missing < <(packages_missing)
  [ "${#missing[@]}" -eq 0 ] && return
  say "    packages: ${missing[*]}"
  step "install ${#missing[@]} packages" packages_install "${missing[@]}"
  hash -r
}
