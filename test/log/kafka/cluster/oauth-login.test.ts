import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthenticationProviderArgs } from "kafkajs";
import { isRefusal } from "../../../../src/log/kafka/cluster/errors.ts";
import { oauthLogin } from "../../../../src/log/kafka/cluster/oauth-login.ts";
import type { TokenKeeper } from "../../../../src/log/kafka/cluster/token-keeper.ts";

const invalid = '{"status":"invalid_token"}';

/** A login of kafkajs's kind. `answers`: the broker's, in turn. */
function loginWith(isProven: boolean, answers: readonly (string | Error)[]) {
  const sent: string[] = [];
  const said: string[] = [];
  const tokens: TokenKeeper = {
    get: async () => ({ ok: true, token: "the.token", isProven }),
    accepted: (token) => void said.push(`accepted ${token}`),
    refused: (token) => void said.push(`refused ${token}`),
    renewAhead: () => () => {},
  };
  const { authenticationProvider } = oauthLogin(tokens, new Map([["logicalCluster", "lkc-1"]]));
  const saslAuthenticate: AuthenticationProviderArgs["saslAuthenticate"] = async ({ request, response }) => {
    const bytes = await request.encode();
    assert.equal(bytes.readInt32BE(0), bytes.length - 4);
    const answer = answers[sent.push(bytes.toString("utf8", 4)) - 1]!;
    if (answer instanceof Error) throw answer;
    return response?.parse(await response.decode(Buffer.from(`\0\0\0\0${answer}`)));
  };
  const args = { host: "", port: 0, saslAuthenticate } as unknown as AuthenticationProviderArgs;
  return { sent, said, authenticate: () => authenticationProvider(args).authenticate() };
}

const failed = (message: string) => Object.assign(new Error(message), { type: "SASL_AUTHENTICATION_FAILED" });

test("the token and the extensions go out in the form of RFC 7628", async () => {
  const { sent, said, authenticate } = loginWith(false, [""]);
  await authenticate();
  assert.deepEqual(sent, ["n,,\u0001auth=Bearer the.token\u0001logicalCluster=lkc-1\u0001\u0001"]);
  assert.deepEqual(said, ["accepted the.token"]);
});

for (const [how, answers, reason] of [
  ["by a challenge", [invalid, failed("token expired")], /^token expired$/],
  ["by a challenge without more words", [invalid, ""], /invalid_token/],
  ["by an error", [failed("no role")], /^no role$/],
] as const) {
  test(`a new token that is refused ${how} is a refusal, in the broker's words`, async () => {
    const { said, authenticate } = loginWith(false, answers);
    await assert.rejects(authenticate(), (error: Error) => isRefusal(error) && reason.test(error.message));
    assert.deepEqual(said, ["refused the.token"]);
  });
}

test("a token that was taken before and is refused now is replaced: the login is tried again", async () => {
  const { said, authenticate } = loginWith(true, [invalid, failed("revoked")]);
  await assert.rejects(authenticate(), (error: Error) => !isRefusal(error) && /revoked/.test(error.message));
  assert.deepEqual(said, ["refused the.token"]);
});

test("a connection that breaks during the login says nothing of the token", async () => {
  const { said, authenticate } = loginWith(false, [new Error("Closed connection")]);
  await assert.rejects(authenticate(), (error: Error) => !isRefusal(error));
  assert.deepEqual(said, []);
});
