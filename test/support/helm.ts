/** Helm, and Kubernetes' schemas by the Python package kubernetes-validate; `.ci/helm` and `.ci/python` install them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

export const helm = process.env.HELM || "helm";

/** For a test's `skip` option: false when there is one; with REQUIRE_HELM=1 a missing one is a failure. */
export function skipWithoutHelm(): string | false {
  if (spawnSync(helm, ["version"]).status === 0) return false;
  assert.notEqual(process.env.REQUIRE_HELM, "1", `REQUIRE_HELM=1, but ${helm} can't be run`);
  return `${helm} can't be run; type: HELM="$(.ci/helm)" npm test`;
}
