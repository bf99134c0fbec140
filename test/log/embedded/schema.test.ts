import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { prepareSchema } from "../../../src/log/embedded/schema.ts";
import { workspaceOf } from "./harness.ts";

test("a log that another process creates while this one looks at the file is not taken for a foreign file", (t) => {
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

test("the connection that writes flushes the disk at every commit, in a new file and in an old one", (t) => {
  const file = join(workspaceOf(t).dataDir, "log.db");
  for (const round of ["new", "old"]) {
    const db = new DatabaseSync(file);
    assert.equal(prepareSchema(db, file, 2), null);
    const settingOf = (pragma: string) => Object.values(db.prepare(`PRAGMA ${pragma}`).get()!)[0];
    // 2 is FULL. NORMAL would flush at checkpoints only: a power failure would take what was acknowledged.
    assert.deepEqual([settingOf("journal_mode"), settingOf("synchronous")], ["wal", 2], round);
    db.close();
  }
});
