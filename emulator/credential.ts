/** The default credential of an emulator. It is valid nowhere else. */

export const emulatorCredential = {
  clientId: "0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9",
  clientSecret: "emulator-only",
  tenantId: "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5",
  /** The managed identity of the machine that it stands for. */
  identity: {
    clientId: "7b6a5948-3726-4150-a4b3-c2d1e0f98877",
    principalId: "c0ffee00-1d2e-4f30-8142-53647586a9ba",
  },
  identityHeader: "emulator-identity",
};
