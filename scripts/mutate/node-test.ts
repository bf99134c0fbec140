/**
 * Stands in for node:test, as far as the tests of the mutated files use it, so that one process can run the same test
 * files again and again. What it does not have is an error where a test asks for it.
 */

type Hook = () => unknown;

export interface TestContext {
  readonly name: string;
  after(hook: Hook): void;
}

type Body = (context: TestContext) => unknown;

/** What test files register while they are loaded. */
export const registered: { tests: { readonly name: string; readonly body: Body }[]; afters: Hook[] } = {
  tests: [],
  afters: [],
};

export function test(name: string, ...rest: [body: Body] | [options: object, body: Body]): void {
  const body = rest.at(-1) as Body;
  const options = rest.length === 2 ? rest[0] : {};
  if ("skip" in options && options.skip !== false) return;
  registered.tests.push({ name, body });
}

export function describe(_name: string, body: () => void): void {
  body();
}

export function suite(name: string, body: () => void): void {
  describe(name, body);
}

export function after(hook: Hook): void {
  registered.afters.push(hook);
}

/** Runs what is registered, in order, up to the first failure: the name of that test, or null. */
export async function runRegistered(): Promise<string | null> {
  const { tests, afters } = registered;
  registered.tests = [];
  registered.afters = [];
  let failed: string | null = null;
  for (const { name, body } of tests) {
    const hooks: Hook[] = [];
    try {
      await body({ name, after: (hook) => void hooks.push(hook) });
    } catch {
      failed = name;
    }
    for (const hook of hooks) await hook();
    if (failed !== null) break;
  }
  for (const hook of afters) await hook();
  return failed;
}
