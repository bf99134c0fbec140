/** The Helm chart: each of its value files gives objects that Kubernetes takes, and what can't work is refused with a reason. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { table } from "../../src/config/table.ts";
import { helm, skipWithoutHelm } from "../support/helm.ts";
import { python, skipWithoutPython } from "../support/python.ts";

const root = join(import.meta.dirname, "..", "..");
const chart = join(root, "deploy", "helm", "connector-registrar");
const valueFiles = readdirSync(join(chart, "ci")).filter((file) => file.endsWith("-values.yaml"));
const skip = skipWithoutHelm();
const known = new Set<string>(Object.values(table).map(({ variable }) => variable));

/** A Helm that was built from its sources takes a cluster for one of long ago. */
const cluster = ["--kube-version", "1.33.0"];

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has parts of its own, and the tests look into few of them.
  readonly [part: string]: any;
}

function render(...options: string[]) {
  const args = ["template", "registrar", chart, "--namespace", "enroll", ...cluster, ...options];
  return spawnSync(helm, args, { encoding: "utf8" });
}

const rendered = new Map<string, readonly KubernetesObject[]>();

/** Rendered once for all tests. */
function objectsOf(file: string, ...options: string[]): readonly KubernetesObject[] {
  const key = [file, ...options].join(" ");
  const before = rendered.get(key);
  if (before !== undefined) return before;
  const { status, stdout, stderr } = render("--values", join(chart, "ci", file), ...options);
  assert.equal(status, 0, stderr);
  const objects = parseAllDocuments(stdout)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
  rendered.set(key, objects);
  return objects;
}

const find = (objects: readonly KubernetesObject[], kind: string, name = "registrar-connector-registrar") =>
  objects.find((object) => object.kind === kind && object.metadata.name === name)!;

const containerOf = (deployment: KubernetesObject) => deployment.spec.template.spec.containers[0];
const environmentOf = (deployment: KubernetesObject): Record<string, string> =>
  Object.fromEntries(
    containerOf(deployment).env.map(({ name, value }: { name: string; value: string }) => [name, value]),
  );

/** Kinds of operators that a cluster may have; Kubernetes itself has no schema of them. */
const ofOperators = new Set(["ScaledObject", "ServiceMonitor", "PrometheusRule"]);

suite("the Helm chart", { skip }, () => {
  test("six ways to install it are there, and helm finds nothing wrong with them", () => {
    assert.ok(valueFiles.length >= 6);
    for (const file of valueFiles) {
      const args = ["lint", "--strict", chart, ...cluster, "--values", join(chart, "ci", file)];
      const { status, stdout, stderr } = spawnSync(helm, args, { encoding: "utf8" });
      assert.equal(status, 0, `${file}: ${stdout}${stderr}`);
    }
  });

  test("Kubernetes takes each object of each", { skip: skipWithoutPython("kubernetes_validate") }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "connector-registrar-helm-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const files = valueFiles.flatMap((file) => {
      const own = objectsOf(file).filter(({ kind }) => !ofOperators.has(kind));
      assert.ok(own.length >= 4, file);
      return own.map((object, index) => {
        const path = join(folder, `${file}-${index}.json`);
        writeFileSync(path, JSON.stringify(object));
        return path;
      });
    });
    const args = ["-m", "kubernetes_validate", "--strict", "--no-warn", ...files];
    const { status, stdout, stderr } = spawnSync(python, args, { encoding: "utf8" });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });

  for (const file of valueFiles) {
    test(`${file}: every setting that a pod of the product is given is one that it has`, () => {
      const objects = objectsOf(file);
      const given = [
        ...Object.keys(find(objects, "ConfigMap", "registrar-connector-registrar-settings").data),
        ...objects
          .filter(({ kind, metadata }) => kind === "Deployment" && !metadata.name.endsWith("-emulator"))
          .flatMap((deployment) => Object.keys(environmentOf(deployment))),
      ];
      assert.deepEqual(
        given.filter((name) => !known.has(name)),
        [],
      );
    });

    test(`${file}: no pod runs as root, writes to its root, or keeps a capability`, () => {
      const pods = objectsOf(file).filter(({ kind }) => kind === "Deployment");
      assert.ok(pods.length >= 1);
      for (const pod of pods) {
        const { securityContext, automountServiceAccountToken } = pod.spec.template.spec;
        assert.equal(securityContext.runAsNonRoot, true);
        assert.equal(automountServiceAccountToken, false);
        const { securityContext: own } = containerOf(pod);
        assert.deepEqual(
          [own.readOnlyRootFilesystem, own.allowPrivilegeEscalation, own.capabilities.drop],
          [true, false, ["ALL"]],
        );
      }
    });
  }

  test("secrets are files that a setting names, and stand in no object", () => {
    const objects = objectsOf("client-secret-values.yaml");
    const environment = environmentOf(find(objects, "Deployment"));
    assert.equal(environment.AZURE_CLIENT_SECRET_FILE, "/secrets/azure-client-secret/client-secret");
    assert.equal(environment.KAFKA_CA_FILE, "/secrets/kafka-ca-file/ca.crt");
    assert.ok(!("AZURE_CLIENT_SECRET" in environment));
    const mounts = containerOf(find(objects, "Deployment")).volumeMounts.map(
      ({ mountPath }: { mountPath: string }) => mountPath,
    );
    for (const file of [environment.AZURE_CLIENT_SECRET_FILE, environment.KAFKA_CA_FILE])
      assert.ok(mounts.includes(file!.replace(/\/[^/]*$/, "")), file);
  });

  test("the tenants file is a folder of its own, so that a change of the ConfigMap reaches a running worker", () => {
    const objects = objectsOf("certificate-values.yaml");
    const { tenants } = JSON.parse(
      find(objects, "ConfigMap", "registrar-connector-registrar-tenants").data["tenants.json"],
    );
    assert.deepEqual(tenants[1], {
      tenantId: "6a1d2e3f-4b5c-4d6e-9f70-8192a3b4c5d6",
      name: "Fabrikam",
      paused: true,
    });
    const mount = containerOf(find(objects, "Deployment")).volumeMounts.find(
      ({ name }: { name: string }) => name === "tenants",
    );
    assert.deepEqual([mount.mountPath, mount.subPath], ["/tenants", undefined]);
    const checksum = (options: string[]) =>
      find(objectsOf("certificate-values.yaml", ...options), "Deployment").spec.template.metadata.annotations;
    assert.deepEqual(checksum([]), checksum(["--set", "tenants.list[1].paused=false"]));
    assert.notDeepEqual(checksum([]), checksum(["--set", "settings.LOG_LEVEL=debug"]));
  });

  test("workload identity: the pod's label, the account's annotations, and no secret", () => {
    const objects = objectsOf("workload-identity-values.yaml");
    assert.equal(
      find(objects, "Deployment").spec.template.metadata.labels["azure.workload.identity/use"],
      "true",
    );
    const { annotations } = find(objects, "ServiceAccount").metadata;
    assert.equal(annotations?.["azure.workload.identity/client-id"], "0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9");
    assert.ok(!objects.some(({ kind }) => kind === "Secret"));
  });

  test("KEDA asks for the worker's own group and topic, and has no more workers than there are partitions", () => {
    const objects = objectsOf("autoscaling-values.yaml");
    const scaled = find(objects, "ScaledObject");
    assert.deepEqual(
      [scaled.spec.maxReplicaCount, scaled.spec.triggers[0].metadata.topic],
      [16, "prod.connector.enrolled"],
    );
    assert.equal(scaled.spec.triggers[0].metadata.consumerGroup, "connector-registrar");
    assert.equal(find(objects, "Deployment").spec.replicas, undefined);
  });

  test("serve has its tokens as a file, and says that a proxy ends TLS only where it has no certificate itself", () => {
    const environment = (...options: string[]) =>
      environmentOf(
        find(objectsOf("serve-values.yaml", ...options), "Deployment", "registrar-connector-registrar-serve"),
      );
    const behindIngress = environment();
    assert.equal(behindIngress.TOKENS_FILE, "/serve-tokens/tokens.json");
    assert.equal(behindIngress.SERVE_BEHIND_PROXY, "true");
    const own = environment("--set", "serve.tlsSecretName=enroll-tls");
    assert.deepEqual([own.SERVE_BEHIND_PROXY, own.SERVE_TLS_CERT_FILE], [undefined, "/serve-tls/tls.crt"]);
  });

  test("the alert rules are those of deploy/prometheus", () => {
    const rule = find(objectsOf("autoscaling-values.yaml"), "PrometheusRule");
    const original = readFileSync(join(root, "deploy/prometheus/alerts.yml"), "utf8");
    assert.equal(readFileSync(join(chart, "files/alerts.yml"), "utf8"), original);
    assert.deepEqual(rule.spec, parseAllDocuments(original)[0]!.toJS());
  });

  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no broker", ["settings.AZURE_TENANT_ID=x"], /settings\.KAFKA_BROKERS is needed/],
    ["no tenant to serve", ["settings.KAFKA_BROKERS=k:9092"], /No tenant is served/],
    [
      "a secret among the settings",
      ["settings.KAFKA_BROKERS=k:9092", "settings.AZURE_TENANT_ID=x", "settings.AZURE_CLIENT_SECRET=s"],
      /would stand in a ConfigMap/,
    ],
    [
      "more workers than partitions",
      [
        "settings.KAFKA_BROKERS=k:9092",
        "settings.AZURE_TENANT_ID=x",
        "settings.TOPICS_PARTITIONS=4",
        "autoscaling.enabled=true",
      ],
      /more than settings\.TOPICS_PARTITIONS/,
    ],
    [
      "serve for everybody",
      ["settings.KAFKA_BROKERS=k:9092", "settings.AZURE_TENANT_ID=x", "serve.enabled=true"],
      /who may enroll/,
    ],
    [
      "serve without TLS",
      [
        "settings.KAFKA_BROKERS=k:9092",
        "settings.AZURE_TENANT_ID=x",
        "serve.enabled=true",
        "serve.tokens.secretName=t",
      ],
      /needs TLS/,
    ],
    ["a value that there is not", ["workers.replicas=3"], /workers.*not allowed/i],
    [
      "workload identity without an app",
      ["settings.KAFKA_BROKERS=k:9092", "workloadIdentity.enabled=true"],
      /clientId/,
    ],
  ];
  for (const [what, values, reason] of refused) {
    test(`refused, with what to change: ${what}`, () => {
      const { status, stderr } = render(...values.flatMap((value) => ["--set", value]));
      assert.notEqual(status, 0);
      assert.match(stderr, reason);
    });
  }
});
