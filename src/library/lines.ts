/** Serial and parallel lines of PcOptions. */
import type { CharBackend } from '../devices/host.ts';

/** A line without a cable: what the guest sends is only seen by the machine's transcript. */
export const unplugged = (): CharBackend => ({ receive: null, write: () => {} });

/** The same line, with what the guest sends also given to `tap`. */
export function tapped(line: CharBackend, tap: (byte: number) => void): CharBackend {
  return {
    get receive() {
      return line.receive;
    },
    set receive(callback) {
      line.receive = callback;
    },
    get room() {
      return line.room ?? null;
    },
    set room(callback) {
      line.room = callback;
    },
    more: () => line.more?.(),
    write: (byte) => {
      tap(byte);
      line.write(byte);
    },
  };
}
