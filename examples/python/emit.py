"""Emits one enrollment into Kafka, as a structured CloudEvent. Needs: pip install confluent-kafka"""

import json
import os
import sys
import uuid
from datetime import datetime, timezone

from confluent_kafka import Producer

tenant = os.environ["TENANT_ID"].lower()
# Six digits behind the seconds; seven are the most.
now = datetime.now(timezone.utc).isoformat()
event = {
    "specversion": "1.0",
    "id": str(uuid.uuid4()),
    "source": "/installers/python",
    "type": "connector.enrolled",
    "tenantid": tenant,
    "data": {
        "connectorName": os.environ["CONNECTOR_NAME"],
        "machineName": os.environ["MACHINE_NAME"],
        "enrollmentDateTime": now,
        "lastCheckinDateTime": now,
        "connectorVersion": "6.2406.0.1001",
    },
}
producer = Producer(
    {
        "bootstrap.servers": os.environ["KAFKA_BROKERS"],
        # librdkafka's default is another one: records would not be in their tenant's home partition.
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "acks": "all",
        "message.timeout.ms": 30_000,
    }
)
failures = []


def stored(error, message):
    if error is not None:
        failures.append(str(error))
    else:
        print(f"{message.topic()}/{message.partition()}/{message.offset()}")


producer.produce(
    os.environ.get("KAFKA_TOPIC_PREFIX", "") + "connector.enrolled",
    key=tenant.encode(),
    value=json.dumps(event).encode(),
    headers={"content-type": b"application/cloudevents+json; charset=UTF-8"},
    on_delivery=stored,
)
producer.flush(40)
if failures:
    sys.exit(f"not stored: {failures[0]}; emit it again")
