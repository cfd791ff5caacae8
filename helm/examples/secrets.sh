#!/bin/sh
# Prints the Secrets between postgresql.yaml, rabbitmq.yaml and the chart, with new passwords:
#
#   sh helm/examples/secrets.sh | kubectl --namespace trato apply --filename -
#
# Once: a second run makes other passwords, which the programs know after a restart. RabbitMQ makes its own user, whose
# name and password are read from its Secret, so that the operator must have made that before; without it nothing is
# printed. USER_NAME and PASSWORD take their place where the user is another.
set -eu
namespace=${NAMESPACE:-trato}

password() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

of_rabbitmq() {
    encoded=$(kubectl --namespace "$namespace" get secret rabbitmq-default-user --output "jsonpath={.data.$1}") || exit
    : "${encoded:?the Secret rabbitmq-default-user has no $1}"
    printf %s "$encoded" | base64 -d
}

# First of all: half of the Secrets would be applied otherwise, and a second run makes other passwords.
user=${USER_NAME:-$(of_rabbitmq username)}
broker_word=${PASSWORD:-$(of_rabbitmq password)}

# role SERVICE SUFFIX: the role's Secret for the database's operator, and $address for the chart.
role() {
    secret=postgresql-$1${2:+-$2}
    name=$1${2:+_$2}
    word=$(password)
    address="postgres://$name:$word@postgresql-rw:5432/$1?sslmode=verify-full&sslrootcert=/postgresql/ca.crt"
    cat <<SECRET
---
apiVersion: v1
kind: Secret
metadata:
  name: $secret
  # A new password is set without waiting.
  labels: { cnpg.io/reload: "true" }
type: kubernetes.io/basic-auth
stringData: { username: $name, password: $word }
SECRET
}

for service in customers sales billing; do
    role $service ''
    url=$address
    role $service system
    system_url=$address
    role $service owner
    owner_url=$address
    role $service backup
    cat <<SECRET
---
apiVersion: v1
kind: Secret
metadata: { name: trato-$service-database }
stringData:
  url: $url
  system-url: $system_url
  owner-url: $owner_url
  backup-url: $address
SECRET
done

cat <<SECRET
---
apiVersion: v1
kind: Secret
metadata: { name: trato-broker }
stringData:
  url: amqp://$user:$broker_word@rabbitmq:5672/%2f
SECRET
