#!/bin/sh
# redis.sh USERS.ACL [setting …]: Redis with these users. Passwords come from the environment: ENGINE_PASSWORD, ARCHIVE_PASSWORD and
# READER_PASSWORD. Users that are off stay off, with a password nobody knows.
set -eu

template=$1
shift
acl=$(mktemp)

digest() {
  printf %s "$1" | sha256sum | cut -d ' ' -f 1
}

nobody=$(digest "$(od -An -N 32 -tx1 /dev/urandom)")
umask 077
sed \
  -e "s/#ENGINE_PASSWORD_SHA256/#$(digest "${ENGINE_PASSWORD:?is not set}")/" \
  -e "s/#ARCHIVE_PASSWORD_SHA256/#$(digest "${ARCHIVE_PASSWORD:?is not set}")/" \
  -e "s/#READER_PASSWORD_SHA256/#$(digest "${READER_PASSWORD:?is not set}")/" \
  -e "s/#[A-Z]*_PASSWORD_SHA256/#$nobody/" \
  "$template" >"$acl"

# The image's entry point gives root up and becomes this user.
if [ "$(id -u)" = 0 ] && id redis >/dev/null 2>&1; then
  chown redis "$acl"
fi
exec docker-entrypoint.sh redis-server --aclfile "$acl" "$@"
