# ./dev record: what the release that is made now promises to the one after it, into compat/.
# shellcheck shell=bash

RECORDED=(chat notifications presence) # services with migrations

record_run() {
  local service

  [ $# -eq 0 ] || die "record: takes no options"
  packages_ensure
  build "$PRESET" "${RECORDED[@]/#/record_}"
  # Or it would be no promise.
  step "migrations: those of before are as they were" sha256sum --quiet --strict --check compat/migrations.sha256
  sha256sum services/*/schema/*.sql >compat/migrations.sha256
  for service in "${RECORDED[@]}"; do
    "build/$PRESET/tests/record_$service" >"compat/statements/$service.tsv"
  done
  protoc -I proto --descriptor_set_out=compat/proto.binpb proto/walletwire/v1/*.proto
  say "recorded in compat/: commit it with the release"
}
