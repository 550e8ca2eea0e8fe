/** The machine's host where timers and a microsecond clock are there: Node and browsers. */
import type { Host } from './machine.ts';

/** Lets pending events run; browsers have no setImmediate. */
const soon: (callback: () => void) => void = typeof setImmediate === 'function' ? setImmediate : (callback) => setTimeout(callback, 0);

export function createHost(): Host {
  let wake: (() => void) | null = null;
  return {
    now: () => performance.now() * 1e6,
    yield: () => new Promise((resolve) => soon(() => resolve())),
    sleep: (milliseconds) => new Promise((resolve) => {
      const timer = setTimeout(() => wake?.(), milliseconds);
      wake = () => {
        clearTimeout(timer);
        wake = null;
        resolve();
      };
    }),
    wake: () => wake?.(),
  };
}
