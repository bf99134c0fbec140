/** An outage in which nothing is answered: requests are read to their end, and that is all. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import type { EntraSettings } from "../../emulator/entra/grant.ts";
import { faultProfile } from "../../emulator/faults.ts";
import { newGraphState } from "../../emulator/graph.ts";
import { emulatorHandler } from "../../emulator/handler.ts";
import { defaultBehaviour } from "../../emulator/settings.ts";

const clock = { nowMs: () => 0, wallMs: () => 0, after: () => assert.fail("nothing is planned") };
const entra: EntraSettings = {
  clientId: "app",
  allowedTenants: null,
  tokenLifetimeMs: 1_000,
  audiences: [],
  isOfOtherCloud: () => false,
  signingKey: Buffer.alloc(32),
  roles: () => [],
  state: {
    secret: "valid",
    certificate: "valid",
    secrets: ["secret"],
    certificates: [],
    federated: [],
    identities: [],
    tenants: {},
  },
  identityHeader: "header",
  identityKeys: () => assert.fail("no key is needed"),
};

for (const url of ["/beta/deviceManagement/certificateConnectorDetails", "/tenant/oauth2/v2.0/token"])
  test(`${url} is never answered, nor counted, nor carried out`, () => {
    const state = newGraphState({ ...defaultBehaviour, outage: "silence" }, faultProfile("none"));
    const handler = emulatorHandler({ state, clock, random: () => 0, entra, store: null });
    let resumed = 0;
    const request = Object.assign(new EventEmitter(), {
      url,
      method: "POST",
      headers: { "content-type": "application/json" },
      resume: () => resumed++,
    });
    const response = new Proxy({}, { get: (_, name) => assert.fail(`response.${String(name)}`) });
    handler.listener(request as unknown as IncomingMessage, response as ServerResponse);
    request.emit("data", Buffer.from("{}"));
    request.emit("end");
    assert.deepEqual([resumed, handler.counts(), state.model.createdCount], [1, {}, 0]);
  });
