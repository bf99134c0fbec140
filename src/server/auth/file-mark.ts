/** A text that changes when what a file holds does, also where Kubernetes swaps the folder behind a link. */
import { statSync } from "node:fs";

/** Of a file that can't be looked at: why. Never throws: files are looked at by timers too. */
export function fileMark(file: string): string {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(file);
    // A copy that keeps the times of its source still changes ctime.
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
