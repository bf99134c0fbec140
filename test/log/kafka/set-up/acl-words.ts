/** ACLs in kafkajs's words, and those that docs/OPERATING.md lists. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import kafkajs from "kafkajs";

// Not all that this module exports can be imported by name.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const page = readFileSync(new URL("../../../../docs/OPERATING.md", import.meta.url), "utf8");
const principal = "User:connector-registrar";

const operations = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Create: AclOperationTypes.CREATE,
  Alter: AclOperationTypes.ALTER,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
};

/** Matches every ACL. */
export const everything = {
  resourceType: AclResourceTypes.ANY,
  resourcePatternType: ResourcePatternTypes.ANY,
  operation: AclOperationTypes.ANY,
  permissionType: AclPermissionTypes.ANY,
};

/** What the page's kafka-acls.sh lines under this mark would add. */
export function aclsOf(mark: string) {
  const block = page.split(`<!-- acls: ${mark} -->`)[1]?.split("\n\n")[0] ?? "";
  const lines = block.split("\n").filter((line) => line.includes("kafka-acls.sh"));
  assert.ok(lines.length > 0, mark);
  return lines.flatMap((line) => {
    assert.match(line, /--bootstrap-server broker-1:9092 --add --allow-principal User:connector-registrar /);
    const [, kind, name] = /--(topic|group|cluster)(?: (\S+))?/.exec(line.replace("--bootstrap", "")) ?? [];
    const prefixed = line.includes("--resource-pattern-type prefixed");
    const resourceType = {
      topic: AclResourceTypes.TOPIC,
      group: AclResourceTypes.GROUP,
      cluster: AclResourceTypes.CLUSTER,
    }[kind as "topic" | "group" | "cluster"];
    return [...line.matchAll(/--operation (\w+)/g)].map(([, operation]) => ({
      resourceType,
      resourceName: kind === "cluster" ? "kafka-cluster" : name!,
      resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
      principal,
      host: "*",
      operation: operations[operation as keyof typeof operations],
      permissionType: AclPermissionTypes.ALLOW,
    }));
  });
}

export type Acl = ReturnType<typeof aclsOf>[number];
