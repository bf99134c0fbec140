/**
 * The certificate and key of the service, read again when their files change: they are renewed while it runs.
 *
 * 1. What can't serve changes nothing: new connections get the former certificate.
 * 2. It is reported once, and only when it has stood so for a while: two files are never changed at the same moment.
 */
import type { Clock } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import type { TlsFiles } from "../http/http-server.ts";
import { limits } from "../http/limits.ts";
import { fileMark } from "./file-mark.ts";
import { readTlsFiles } from "./tls-files.ts";

export interface TlsWatch {
  readonly certFile: string;
  readonly keyFile: string;
  readonly onRenewed: (tls: TlsFiles) => void;
  readonly onProblem: (problem: Problem) => void;
}

/** Until what it returns is called. */
export function watchTlsFiles(watch: TlsWatch, clock: Pick<Clock, "after">): () => void {
  const files = [watch.certFile, watch.keyFile];
  let usedMark = markOf(files);
  let badMark: string | null = null;
  let cancel = clock.after(limits.tlsCheckMs, look);

  function look(): void {
    cancel = clock.after(limits.tlsCheckMs, look);
    const mark = markOf(files);
    if (mark === usedMark) return;
    const read = readTlsFiles(watch.certFile, watch.keyFile);
    if (read.ok) watch.onRenewed(read.tls);
    else if (badMark !== mark) {
      badMark = mark;
      return; // 2
    } else {
      const { code, message } = read.problem;
      const fix = "Put both files right. Until then the former certificate is used.";
      watch.onProblem({ code, message, fix });
    }
    usedMark = mark;
    badMark = null;
  }

  return () => cancel();
}

function markOf(files: readonly string[]): string {
  return files.map(fileMark).join(", ");
}
