/** Rows of the table "What happens when" of docs/SEMANTICS.md: a worker vanishes after it dead-lettered a record. */
import assert from "node:assert/strict";
import { contoso } from "../../lab/testkit/enrollments.ts";
import { answers, lostAfterCreating } from "../../lab/testkit/scripted-graph.ts";
import { crashWhile, type Specification, untilSettled } from "../../lab/testkit/specification.ts";

export const deadLetterRows: Readonly<Record<string, Specification>> = {
  "dead letter appended, offset not committed": {
    given: { enrolled: [{ at: "yesterday" }] },
    async when(world) {
      await crashWhile(world, "it is a dead letter", () => world.deadLetters().length === 1);
      world.start();
      await untilSettled(world, 1);
    },
    expect: {
      objects: [],
      registered: [],
      deadLetters: ["date-time-malformed enrolled/0/0", "date-time-malformed enrolled/0/0"],
      creates: 0,
    },
  },
  "dead letter appended after a create, offset not committed": {
    given: {
      enrolled: [{ at: "2017-01-01T07:57:59.1Z" }, { at: "2017-01-01T07:57:59.2Z" }],
      // A refusal is asked once more, without our id.
      graph: [answers(422), answers(422), lostAfterCreating],
    },
    async when(world) {
      await crashWhile(world, "the first is a dead letter, the second is made", () => {
        const made = world.graph.objects.get(contoso) ?? [];
        return world.deadLetters().length === 1 && made.length === 1;
      });
      assert.equal(world.log.committed("enrolled")?.offset, 0);
      // Graph keeps whole seconds: what it made of the second looks like the first, too.
      const [object] = world.graph.objects.get(contoso) ?? [];
      assert.ok(object !== undefined);
      world.graph.objects.set(contoso, [{ ...object, enrollmentDateTime: "2017-01-01T07:57:59Z" }]);
      world.start();
      await untilSettled(world, 2);
    },
    expect: {
      objects: ["HOST-1"],
      registered: ["HOST-1 recovered"],
      deadLetters: ["graph-422 enrolled/0/0"],
      creates: 3,
    },
  },
};
