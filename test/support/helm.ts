/** Helm, and Kubernetes' schemas by the Python package kubernetes-validate; `.ci/helm` and `.ci/python` install them. */
import { spawnSync } from "node:child_process";

export const helm = process.env.HELM || "helm";

/** For a test's `skip` option: false when there is one. REQUIRE_HELM=1 makes the skip a failure (run-tests.ts). */
export function skipWithoutHelm(): string | false {
  if (spawnSync(helm, ["version"]).status === 0) return false;
  return `${helm} can't be run; type: HELM="$(.ci/helm)" npm test`;
}
