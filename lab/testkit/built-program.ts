/** Names the program that `npm test` built of the sources, where it did: tests of commands run it in their place. */
export const builtProgramVariable = "CONNECTOR_REGISTRAR_TEST_PROGRAM";
