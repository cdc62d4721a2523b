#!/bin/sh
# postgres-roles.sh ROLES.SQL: the roles, what they may do, and their passwords, from MIGRATOR_PASSWORD, SERVICE_PASSWORD,
# ARCHIVER_PASSWORD and READER_PASSWORD. May be run at any time. The server is the one that PGHOST and its like name.
set -eu

psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -f "$1"

set_password() {
  printf '%s\n' 'ALTER ROLE :"role" PASSWORD :'"'password'"';' |
    psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -v "role=$1" -v "password=$2"
}

set_password hongbao_migrator "${MIGRATOR_PASSWORD:?is not set}"
set_password hongbao_service "${SERVICE_PASSWORD:?is not set}"
set_password hongbao_archiver "${ARCHIVER_PASSWORD:?is not set}"
set_password hongbao_reader "${READER_PASSWORD:?is not set}"
