/** Those of src/registrar/ledger. */
import type { EquivalentsByFile } from "../trial.ts";

export const ofLedger: EquivalentsByFile = {
  "src/registrar/ledger/ledger-scan.ts": [
    {
      line: "if (signal.aborted) return null;",
      change: "if (signal.aborted) -> if (false)",
      why: "Reading the whole ledger under an aborted signal ends at once, with the same null.",
    },
    {
      line: "if (!result.ok && result.logEnd !== undefined && !stop.aborted)",
      change:
        "!result.ok && result.logEnd !== undefined && !stop.aborted -> !result.ok && result.logEnd !== undefined",
      why: "After an abort no result of an attempt counts (persist.ts).",
    },
  ],
  "src/registrar/ledger/ledger-snapshot.ts": [
    {
      line: "if (bytes.length < headBytes) return null;",
      change: "bytes.length < headBytes -> bytes.length <= headBytes",
      why: "A head alone has no cells, and is refused for that.",
    },
  ],
  "src/registrar/ledger/ledger.ts": [
    {
      line: "cells: new Uint32Array(cellsAtFirst * wordsPerCell),",
      change: "cellsAtFirst * wordsPerCell -> cellsAtFirst / wordsPerCell",
      why: "It grows from one cell as it does from 64.",
    },
    {
      line: "if (!firstWords.has(ledger.cells[at + wordsPerUuid]!)) continue;",
      change: "if (!firstWords.has(ledger.cells[at + wordsPerUuid]!)) -> if (false)",
      why: "It only spares writing out ids that are not asked for; the ids themselves decide.",
    },
    {
      line: "for (let word = 0; word < wordsPerUuid; word++) keyWords[word] = old[at + word]!;",
      change: "at + word -> at - word",
      why: "Keys that are moved are all different, so each finds the first empty cell from where its first word points.",
    },
    {
      line: "if (isEmpty(old, at)) continue;",
      change: "if (isEmpty(old, at)) -> if (false)",
      why: "An empty cell is copied into another one that is empty.",
    },
    {
      line: "for (let word = 0; word < wordsPerUuid; word++) keyWords[word] = old[at + word]!;",
      change: "word < wordsPerUuid -> word <= wordsPerUuid",
      why: "A typed array takes nothing beyond its end.",
    },
    {
      line: "for (let at = 0; at < old.length; at += wordsPerCell) {",
      change: "at < old.length -> at <= old.length",
      why: "Beyond the end every word counts as empty, and is passed over.",
    },
    {
      line: "if (graphId === idempotencyKey) {",
      change: "if (graphId === idempotencyKey) -> if (false)",
      why: "It only spares reading the id, which is a plain UUID like any other.",
    },
    {
      line: "for (let at = 0; at < cells.length; at += wordsPerCell) {",
      change: "at < cells.length -> at <= cells.length",
      why: "Beyond the end every word counts as empty, and is passed over.",
    },
    {
      line: "for (let at = 0; at < ledger.cells.length; at += wordsPerCell) {",
      change: "at < ledger.cells.length -> at <= ledger.cells.length",
      why: "Beyond the end there is no word, and none was asked for.",
    },
    {
      line: "if (asked.size === 0) return claimed;",
      change: "if (asked.size === 0) -> if (false)",
      why: "It only spares going through the ledger: of nothing, nothing is claimed.",
    },
    {
      line: "if (!isPlainUuid(id)) continue;",
      change: "if (!isPlainUuid(id)) -> if (false)",
      why: "One more first word to look at; the ids themselves decide.",
    },
  ],
};
