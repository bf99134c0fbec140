import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Emits one enrollment into Kafka, as a structured CloudEvent. Type: java -cp 'jars/*' Emit.java */
public class Emit {
    public static void main(String[] arguments) throws Exception {
        String tenant = setting("TENANT_ID").toLowerCase();
        // Seven digits behind the seconds are the most; Instant.toString() would write nine.
        String now = OffsetDateTime.now(ZoneOffset.UTC)
            .format(DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSSSXXX"));
        String event = """
            {"specversion": "1.0", "id": "%s", "source": "/installers/java", "type": "connector.enrolled", "tenantid": "%s",
             "data": {"connectorName": "%s", "machineName": "%s", "enrollmentDateTime": "%s", "lastCheckinDateTime": "%s",
                      "connectorVersion": "6.2406.0.1001"}}
            """.formatted(UUID.randomUUID(), tenant, quoted("CONNECTOR_NAME"), quoted("MACHINE_NAME"), now, now);
        String prefix = System.getenv().getOrDefault("KAFKA_TOPIC_PREFIX", "");
        var record = new ProducerRecord<>(prefix + "connector.enrolled", tenant, event);
        record.headers().add("content-type", "application/cloudevents+json; charset=UTF-8".getBytes(StandardCharsets.UTF_8));
        // The default partitioner is murmur2 of the key, and the producer is idempotent with acks=all.
        Map<String, Object> config = Map.of("bootstrap.servers", setting("KAFKA_BROKERS"));
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            var stored = producer.send(record).get();
            System.out.println(stored.topic() + "/" + stored.partition() + "/" + stored.offset());
        }
    }

    private static String setting(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) throw new IllegalArgumentException("set " + name);
        return value;
    }

    /** As a JSON string takes it. */
    private static String quoted(String name) {
        return setting(name).replace("\\", "\\\\").replace("\"", "\\\"");
    }
}
