#!/bin/bash
# Starts the broker; the first time formats its folder with the first user, `admin`.
# KAFKA_HOME, the folder of Kafka's programs, is that of the official image unless it is set.
set -euo pipefail
bin="${KAFKA_HOME:-/opt/kafka}/bin"
properties=/tmp/server.properties
sed "s|@ADMIN_PASSWORD@|${KAFKA_ADMIN_PASSWORD:?}|g" /etc/warm-handoff/server.properties > "$properties"
chmod 600 "$properties"
if [ ! -f /var/lib/kafka/data/meta.properties ]; then
  "$bin/kafka-storage.sh" format --standalone --config "$properties" \
    --cluster-id "$("$bin/kafka-storage.sh" random-uuid)" \
    --add-scram "SCRAM-SHA-512=[name=admin,password=${KAFKA_ADMIN_PASSWORD}]" > /dev/null # it shows keys
fi
exec "$bin/kafka-server-start.sh" "$properties"
