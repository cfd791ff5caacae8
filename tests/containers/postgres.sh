# Makes the cluster at the first start, then becomes the server. The first argument names the program, the others are its.
set -eu
programs=$(echo /usr/lib/postgresql/*/bin)
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

mkdir -p "$PGDATA"
chown postgres "$PGDATA"
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    password=$(mktemp)
    printf '%s\n' "$POSTGRES_PASSWORD" >"$password"
    chown postgres "$password"
    as_postgres "$programs/initdb" --pgdata="$PGDATA" --username=postgres --pwfile="$password" --encoding=UTF8 --no-sync
    rm "$password"
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
fi
shift
exec setpriv --reuid=postgres --regid=postgres --init-groups "$programs/postgres" -D "$PGDATA" "$@"
