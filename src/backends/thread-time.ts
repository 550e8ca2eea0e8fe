/**
 * Processor time of this thread, where Linux tells it (proc(5), schedstat): what other processes and V8's own threads get meanwhile is not in it.
 * The kernel brings it up to date at timer ticks and when the thread gives way.
 */
import { openSync, readSync } from 'node:fs';

function open(): number {
  try {
    return openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return -1;
  }
}

const file = open();
const buffer = Buffer.alloc(64);
const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Milliseconds; up to a timer tick (10) less if not `exact`, which lets the thread give way first. */
function read(exact: boolean): number {
  if (exact) Atomics.wait(nobody, 0, 0, 0.001);
  const text = buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0));
  return Number(text.split(' ', 1)[0]) / 1e6;
}

/** undefined where the host does not tell. */
export const threadTime = file < 0 ? undefined : read;
