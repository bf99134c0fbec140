/** Where services of tests and of fuzzing listen: on loopback, at a port that the system chooses, without TLS. */
export const onLoopback = {
  host: "127.0.0.1",
  port: 0,
  defaultPort: 8_090,
  tls: null,
  behindProxy: false,
  maxConnections: 1_000,
} as const;
