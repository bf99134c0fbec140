import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { prepareSchema } from "../../src/embedded/schema.ts";
import { workspaceOf } from "./harness.ts";

test("a log that another process creates while this one looks at the file is no foreign file", (t) => {
  const file = join(workspaceOf(t).dataDir, "log.db");
  const [ours, theirs] = [new DatabaseSync(file), new DatabaseSync(file)];
  t.after(() => {
    ours.close();
    theirs.close();
  });
  let met = 0;
  const prepare = ours.prepare.bind(ours);
  ours.prepare = (sql) => {
    const statement = prepare(sql);
    if (sql !== "PRAGMA application_id" || met++ > 0) return statement;
    const get = statement.get.bind(statement);
    statement.get = () => {
      const row = get();
      // Between the first look and the second; it may have to wait for the end of ours.
      try {
        assert.equal(prepareSchema(theirs, file, 2), null);
      } catch (error) {
        assert.match(String(error), /database is locked/);
      }
      return row;
    };
    return statement;
  };
  assert.equal(prepareSchema(ours, file, 2), null);
  assert.equal(met > 0, true);
  assert.equal(prepareSchema(theirs, file, 2), null);
});
