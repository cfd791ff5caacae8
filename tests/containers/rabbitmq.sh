# Writes the server's settings, then becomes the server.
set -eu
cat >/etc/rabbitmq/rabbitmq.conf <<SETTINGS
loopback_users = none
default_user = $RABBITMQ_DEFAULT_USER
default_pass = $RABBITMQ_DEFAULT_PASS
log.console = true
SETTINGS
chown -R rabbitmq /var/lib/rabbitmq
server=$(echo /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server)
exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups env HOME=/var/lib/rabbitmq "$server"
