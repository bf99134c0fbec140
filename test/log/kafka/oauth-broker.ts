/** A broker of its own whose one way in asks for a signed token (SASL OAUTHBEARER); a relay in front of it counts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { startOwnBroker } from "../../../lab/testkit/broker.ts";
import { freePort } from "../../../lab/testkit/broker-port.ts";
import type { BrokerResult } from "../../../lab/testkit/broker-result.ts";

const issuer = "https://issuer.example";
const audience = "kafka";
/** A little more than the 10 s before its end at which kafkajs logs in again: so it does every second. */
const sessionMs = 11_000;

export interface OauthBroker {
  readonly broker: BrokerResult;
  /** host:port, of the relay. */
  readonly address: string;
  /** Logins by connection, in the order in which these were opened. */
  readonly logins: readonly number[];
  /** Once some connection has logged in so often. */
  reached(times: number): Promise<number>;
  /** A token that the broker takes. */
  sign(changes?: { readonly audience?: string; readonly lifeMs?: number }): Promise<string>;
  /** One that is signed with a key that the broker does not know. */
  forge(): Promise<string>;
  stop(): Promise<void>;
}

export async function startOauthBroker(): Promise<OauthBroker> {
  const directory = mkdtempSync(join(tmpdir(), "registrar-oauth-"));
  const [own, strange] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
  const jwks = { keys: [{ ...(await exportJWK(own.publicKey)), kid: "own", alg: "RS256", use: "sig" }] };
  const jwksFile = join(directory, "jwks.json");
  writeFileSync(jwksFile, JSON.stringify(jwks));
  const [port, controllerPort] = [await freePort(), await freePort()];
  const relay = await startCountingRelay(port);
  const prefix = "listener.name.oauth";
  const handlers = "org.apache.kafka.common.security.oauthbearer";
  // Brokers from 4.0 on read no keys from elsewhere.
  process.env.JAVA_TOOL_OPTIONS = `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${jwksFile}`;
  const broker = await startOwnBroker({
    listeners: `OAUTH://127.0.0.1:${port},INSIDE://127.0.0.1:${await freePort()},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `OAUTH://127.0.0.1:${relay.port},INSIDE://127.0.0.1:${await freePort()}`,
    "inter.broker.listener.name": "INSIDE",
    "listener.security.protocol.map": "OAUTH:SASL_PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "sasl.enabled.mechanisms": "OAUTHBEARER",
    [`${prefix}.oauthbearer.sasl.jaas.config`]: `${handlers}.OAuthBearerLoginModule required;`,
    [`${prefix}.oauthbearer.sasl.server.callback.handler.class`]: `${handlers}.OAuthBearerValidatorCallbackHandler`,
    // By default Kafka 4.1 takes the validator of clients here, which looks at no signature.
    "sasl.oauthbearer.jwt.validator.class": `${handlers}.BrokerJwtValidator`,
    [`${prefix}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url`]: `file://${jwksFile}`,
    [`${prefix}.oauthbearer.sasl.oauthbearer.expected.audience`]: audience,
    [`${prefix}.oauthbearer.sasl.oauthbearer.expected.issuer`]: issuer,
    [`${prefix}.oauthbearer.connections.max.reauth.ms`]: String(sessionMs),
  });
  const signWith = (key: typeof own.privateKey, aud: string, lifeMs: number) =>
    new SignJWT({ scope: "registrar" })
      .setProtectedHeader({ alg: "RS256", kid: "own" })
      .setSubject("registrar")
      .setIssuer(issuer)
      .setAudience(aud)
      .setIssuedAt()
      .setExpirationTime(new Date(Date.now() + lifeMs))
      .sign(key);
  return {
    broker,
    address: `127.0.0.1:${relay.port}`,
    logins: relay.logins,
    reached: relay.reached,
    sign: (changes = {}) =>
      signWith(own.privateKey, changes.audience ?? audience, changes.lifeMs ?? 3_600_000),
    forge: () => signWith(strange.privateKey, audience, 3_600_000),
    async stop() {
      relay.close();
      rmSync(directory, { recursive: true, force: true });
      if (broker.ok) await broker.stop();
    },
  };
}

const saslAuthenticateKey = 36;

async function startCountingRelay(to: number) {
  const logins: number[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  const server = createServer((client) => {
    const connection = logins.push(0) - 1;
    const target = connect(to, "127.0.0.1");
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    client.on("close", () => target.destroy());
    target.on("close", () => client.destroy());
    // kafkajs writes each request immediately, and waits for the answer to a login.
    client.on("data", (request: Buffer) => {
      if (request.length < 8 || request.readInt16BE(4) !== saslAuthenticateKey) return;
      logins[connection]! += 1;
      for (const look of [...waiting]) look();
    });
    client.pipe(target).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    logins,
    reached(times: number): Promise<number> {
      const { promise, resolve } = Promise.withResolvers<number>();
      const look = () => {
        const connection = logins.findIndex((count) => count >= times);
        if (connection < 0) return;
        waiting.delete(look);
        resolve(connection);
      };
      waiting.add(look);
      look();
      return promise;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
