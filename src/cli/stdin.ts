/** Standard input as a serial line's other end. On a terminal: raw, with Ctrl-A as the escape key. */
import type { CharBackend } from '../devices/host.ts';
import type { Machine } from '../index.ts';
import type { Output } from './output.ts';

const CTRL_A = 1;
const HELP = '\r\nCtrl-A h  this help\r\nCtrl-A x  leave the emulator\r\nCtrl-A Ctrl-A  send Ctrl-A\r\n';

/** Feeds stdin to a line; returns how to stop. */
export function connectStdin(machine: Machine, line: CharBackend, output: Output): () => void {
  const { stdin } = process;
  const isTerminal = stdin.isTTY === true;
  let escaped = false;
  const command = (byte: number): void => {
    escaped = false;
    if (byte === 'x'.charCodeAt(0)) machine.stop();
    else if (byte === CTRL_A) line.receive?.(byte);
    else output.print(HELP);
  };
  const onData = (chunk: Buffer): void => {
    for (const byte of chunk) {
      if (escaped) command(byte);
      else if (isTerminal && byte === CTRL_A) escaped = true;
      else line.receive?.(byte);
    }
    machine.wake();
  };
  // Input that cannot be read is as good as none.
  const onError = (): void => {};
  if (isTerminal) stdin.setRawMode(true);
  stdin.on('data', onData).on('error', onError);
  return () => {
    stdin.off('data', onData).off('error', onError);
    if (isTerminal) stdin.setRawMode(false);
    stdin.pause();
  };
}
