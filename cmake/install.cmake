# What `cmake --install build/release --prefix /usr/local` puts on a machine; docs/operations.md goes on from there.
include(GNUInstallDirs)

install(TARGETS ww ww-audit ww-chat ww-edge ww-notifications ww-outbox ww-presence)
install(PROGRAMS deploy/image/nats.sh DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME ww-nats)

set(share ${CMAKE_INSTALL_DATADIR}/walletwire)
install(FILES LICENSE services/audit/audit.sql services/outbox/outbox.sql deploy/haproxy/front.cfg DESTINATION ${share})
install(PROGRAMS deploy/postgres/roles.sh DESTINATION ${share})

# Below the prefix, where systemd looks too if that is /usr or /usr/local. They name programs by their whole path,
# which is known only now.
install(FILES deploy/systemd/walletwire.sysusers DESTINATION lib/sysusers.d RENAME walletwire.conf)
install(DIRECTORY deploy/systemd/ww-.service.d DESTINATION lib/systemd/system)
foreach(unit walletwire.target ww-audit.service ww-chat.service ww-edge@.service ww-nats.service ww-notifications.service
             ww-outbox.service ww-presence.service ww-provision.service)
  install(CODE "
    set(BINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    configure_file(\"${PROJECT_SOURCE_DIR}/deploy/systemd/${unit}\" \"${PROJECT_BINARY_DIR}/systemd/${unit}\" @ONLY)
    file(INSTALL \"${PROJECT_BINARY_DIR}/systemd/${unit}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")")
endforeach()
