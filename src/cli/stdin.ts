/** Standard input as a serial line's other end. On a terminal: raw, with Ctrl-A x to leave. */
import type { CharBackend } from '../devices/host.ts';
import type { Machine } from '../index.ts';

const CTRL_A = 1, LEAVE = 'x'.charCodeAt(0);

/** Feeds stdin to a line; returns how to stop. */
export function connectStdin(machine: Machine, line: CharBackend): () => void {
  const { stdin } = process;
  let escaped = false;
  const onData = (chunk: Buffer): void => {
    for (const byte of chunk) {
      if (stdin.isTTY && escaped) {
        escaped = false;
        if (byte === LEAVE) machine.stop();
        else line.receive?.(byte);
      } else if (stdin.isTTY && byte === CTRL_A) escaped = true;
      else line.receive?.(byte);
    }
    machine.wake();
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', onData);
  return () => {
    stdin.off('data', onData);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  };
}
