/**
 * Writes schemas/: JSON Schema of both events, of the dead-letter header and of the tenants file, and an AsyncAPI document of
 * the topics, all from the definitions that the code validates with.
 *
 *   node scripts/schemas.ts           writes the files
 *   node scripts/schemas.ts --check   exit 1 if one of them is not what would be written
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TSchema } from "typebox";
import { structuredContentType } from "../src/domain/cloud-event.ts";
import { deadLetterHeader, deadLetterReason } from "../src/domain/dead-letter.ts";
import { enrolledEvent, enrolledType } from "../src/domain/enrollment.ts";
import { registeredEvent, registeredType } from "../src/domain/registered.ts";
import { topicName } from "../src/domain/topics.ts";
import type { Topic } from "../src/ports.ts";
import { tenantsFile as tenantsFileDefinition } from "../src/tenants/definition.ts";

const enrolledFile = "connector.enrolled.schema.json";
const registeredFile = "connector.registered.schema.json";
const deadLetterFile = "dead-letter.schema.json";
const tenantsFile = "tenants.schema.json";

/** File name to text, of all files in schemas/. */
export function schemaFiles(): ReadonlyMap<string, string> {
  const documents: [string, object][] = [
    [
      enrolledFile,
      jsonSchema(
        enrolledFile,
        `CloudEvents event ${enrolledType}: a certificate connector was enrolled.`,
        enrolledEvent,
      ),
    ],
    [
      registeredFile,
      jsonSchema(
        registeredFile,
        `CloudEvents event ${registeredType}: the connector has its object in Microsoft Graph.`,
        registeredEvent,
      ),
    ],
    [
      deadLetterFile,
      jsonSchema(deadLetterFile, `Header "${deadLetterHeader}" of a refused record, JSON.`, deadLetterReason),
    ],
    [
      tenantsFile,
      jsonSchema(tenantsFile, "TENANTS_FILE: the tenants that a worker serves.", tenantsFileDefinition),
    ],
    ["asyncapi.json", asyncApi()],
  ];
  return new Map(documents.map(([name, document]) => [name, `${JSON.stringify(document, null, 2)}\n`]));
}

/** Names of the files in `directory` that are missing or differ from what would be written. */
export function staleFiles(directory: string): string[] {
  const isStale = ([name, text]: [string, string]) => readOrNull(join(directory, name)) !== text;
  return [...schemaFiles()].filter(isStale).map(([name]) => name);
}

function jsonSchema(file: string, description: string, schema: TSchema): object {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", $id: file, description, ...schema };
}

function asyncApi(): object {
  const tenantKey = {
    type: "string",
    description: "Tenant id. It decides the partition, as murmur2 of Java's default partitioner.",
  };
  return {
    asyncapi: "3.0.0",
    info: {
      title: "connector-registrar",
      version: "1.0.0",
      description: "Turns every certificate-connector enrollment into exactly one Microsoft Graph object.",
    },
    defaultContentType: structuredContentType,
    channels: {
      enrolled: channel("enrolled", "Enrollments to register, from connector installers.", ["enrolled"]),
      retry: channel("retry", "Enrollments put off because their tenant can't take them yet.", ["enrolled"]),
      registered: channel("registered", "One record for each registered enrollment. Compacted.", [
        "registered",
      ]),
      dlq: channel("dlq", "Records that were refused, byte for byte, each with the reason.", ["deadLetter"]),
    },
    operations: {
      takeEnrollment: operation("receive", "enrolled"),
      takeUpAgain: operation("receive", "retry"),
      putOff: operation("send", "retry"),
      reportRegistration: operation("send", "registered"),
      reportRefusal: operation("send", "dlq"),
    },
    components: {
      messages: {
        enrolled: message(
          enrolledType,
          "Structured form; binary mode (ce_ headers, data as value) is taken too.",
          {
            payload: reference(enrolledFile),
            bindings: { kafka: { key: tenantKey } },
          },
        ),
        registered: message(
          registeredType,
          "Consumers that drop ids that they have seen get each enrollment once.",
          {
            payload: reference(registeredFile),
            bindings: {
              kafka: { key: { type: "string", description: "The idempotency key: the event's id." } },
            },
          },
        ),
        deadLetter: message("refused record", "Key, value and headers as they were, and one header more.", {
          contentType: "application/octet-stream",
          headers: {
            type: "object",
            required: [deadLetterHeader],
            properties: {
              [deadLetterHeader]: {
                type: "string",
                contentMediaType: "application/json",
                description: `JSON by ${deadLetterFile}.`,
              },
            },
          },
          payload: { description: "The record's value as it was: of any kind, or none." },
          "x-dead-letter": reference(deadLetterFile),
        }),
      },
    },
  };
}

function channel(topic: Topic, description: string, messages: string[]): object {
  const references = messages.map((name) => [name, { $ref: `#/components/messages/${name}` }]);
  return { address: topicName(topic, ""), description, messages: Object.fromEntries(references) };
}

function operation(action: "send" | "receive", topic: Topic): object {
  return { action, channel: { $ref: `#/channels/${topic}` } };
}

function message(name: string, summary: string, rest: object): object {
  return { name, summary, ...rest };
}

function reference(file: string): object {
  return { $ref: `./${file}` };
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function main(args: readonly string[]): number {
  const directory = join(import.meta.dirname, "..", "schemas");
  if (args.length === 1 && args[0] === "--check") {
    const stale = staleFiles(directory);
    if (stale.length === 0) return 0;
    console.error(`Stale in schemas/: ${stale.join(", ")}. Type: npx node scripts/schemas.ts`);
    return 1;
  }
  if (args.length > 0) {
    console.error(`Unknown argument: ${args.join(" ")}. Type: npx node scripts/schemas.ts [--check]`);
    return 2;
  }
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of schemaFiles()) writeFileSync(join(directory, name), text);
  return 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
