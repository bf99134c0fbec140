/** Room in the window of an enrolled topic: whether there is any, how it is made, and who waits for it. The retry topic has its own. */
import type { Clock, InputTopic } from "../../ports.ts";
import { hasRoom } from "../intake/window.ts";
import type { OwnedPartition } from "../ownership/partition.ts";
import type { RegistrarSettings } from "../settings.ts";
import type { Parker } from "./parker.ts";

export interface Room {
  isThere(partition: OwnedPartition, topic: InputTopic): boolean;
  /** Parks what can be parked, and resolves when it is time to look again. */
  make(partition: OwnedPartition): Promise<void>;
  /** Something was settled, or the session may be over. */
  wake(partition: OwnedPartition): void;
}

export interface RoomParts {
  readonly clock: Clock;
  readonly settings: Pick<RegistrarSettings, "windowRecords">;
  readonly parker: Pick<Parker, "makeRoom">;
}

const fullWindowWaitMs = 250;

export function createRoom({ clock, settings, parker }: RoomParts): Room {
  return {
    isThere: ({ window }, topic) => topic === "retry" || hasRoom(window, settings.windowRecords),
    make(partition) {
      parker.makeRoom(partition);
      return roomOrTime(partition);
    },
    wake({ roomWaiters }) {
      for (const goOn of [...roomWaiters]) goOn();
    },
  };

  /** A tenant may become slow without anything being settled, so after a while it is time to look again. */
  function roomOrTime(partition: OwnedPartition): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        cancel();
        partition.roomWaiters.delete(goOn);
        resolve();
      };
      const cancel = clock.after(fullWindowWaitMs, goOn);
      partition.roomWaiters.add(goOn);
    });
  }
}
