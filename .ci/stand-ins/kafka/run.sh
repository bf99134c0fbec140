#!/usr/bin/env bash
# Turns KAFKA_* variables into the broker's properties, formats the storage the first time, and becomes the broker.
set -euo pipefail

properties=/tmp/server.properties
: >"$properties"
while IFS='=' read -r -d '' name value; do
  case $name in
    KAFKA_HEAP_OPTS | KAFKA_OPTS | KAFKA_JVM_PERFORMANCE_OPTS | KAFKA_LOG4J_OPTS | KAFKA_VERSION) continue ;;
    KAFKA_*) ;;
    *) continue ;;
  esac
  # ___ is a dash, __ an underscore, _ a dot.
  key=$(sed -e 's/^KAFKA_//' -e 's/___/-/g' -e 's/__/\x01/g' -e 's/_/./g' -e 's/\x01/_/g' <<<"$name")
  printf '%s=%s\n' "${key,,}" "$value" >>"$properties"
done < <(env -0)
grep -q '^log\.dirs=' "$properties" || echo 'log.dirs=/tmp/kraft-combined-logs' >>"$properties"

java_options=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*'
  -Dorg.slf4j.simpleLogger.logFile=System.out -Dorg.slf4j.simpleLogger.defaultLogLevel=warn)
java -Xmx96m "${java_options[@]}" kafka.tools.StorageTool format --ignore-formatted \
  --cluster-id "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" --config "$properties"
exec java ${KAFKA_HEAP_OPTS:--Xmx512m} "${java_options[@]}" \
  -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info kafka.Kafka "$properties"
