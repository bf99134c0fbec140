#!/usr/bin/env bash
# Emits one enrollment into Kafka, as a structured CloudEvent. Names must not hold quotes or backslashes.
set -euo pipefail

tenant=$(tr '[:upper:]' '[:lower:]' <<<"$TENANT_ID")
# Seven digits behind the seconds are the most.
now=$(date -u +%Y-%m-%dT%H:%M:%S.%7NZ)
id=$(cat /proc/sys/kernel/random/uuid)
event='{"specversion":"1.0","id":"'$id'","source":"/installers/kcat","type":"connector.enrolled","tenantid":"'$tenant'",'
event+='"data":{"connectorName":"'$CONNECTOR_NAME'","machineName":"'$MACHINE_NAME'","enrollmentDateTime":"'$now'",'
event+='"lastCheckinDateTime":"'$now'","connectorVersion":"6.2406.0.1001"}}'

# librdkafka's default partitioner is another one: the record would not be in its tenant's home partition.
kcat -P -b "$KAFKA_BROKERS" -t "${KAFKA_TOPIC_PREFIX:-}connector.enrolled" -k "$tenant" \
  -H 'content-type=application/cloudevents+json; charset=UTF-8' \
  -X partitioner=murmur2_random -X enable.idempotence=true -X acks=all <<<"$event"
