/** The machine's host where timers and a microsecond clock are there: Node and browsers. */
import type { Host } from './machine.ts';

/** What setTimeout returns: an object in Node, a number in browsers. */
type Timer = number | { refresh(): unknown };

/** Lets pending events run; browsers have no setImmediate. */
const soon: (callback: () => void) => void = typeof setImmediate === 'function' ? setImmediate : (callback) => setTimeout(callback, 0);

export function createHost(): Host {
  let wake: (() => void) | null = null;
  /** By their milliseconds. One that has not rung when the machine wakes up rings later, which a machine that sleeps again does not mind. */
  const alarms: (Timer | undefined)[] = [];
  const ring = (): void => wake?.();

  /** An idle guest wakes up hundreds of times a second, and to start a timer of Node's again takes half the time that a new one does. */
  function setAlarm(milliseconds: number): void {
    const alarm = alarms[milliseconds];
    if (typeof alarm === 'object') alarm.refresh();
    else alarms[milliseconds] = setTimeout(ring, milliseconds);
  }

  return {
    now: () => performance.now() * 1e6,
    yield: () => new Promise((resolve) => soon(() => resolve())),
    sleep: (milliseconds) => new Promise((resolve) => {
      wake = () => {
        wake = null;
        resolve();
      };
      setAlarm(milliseconds);
    }),
    wake: ring,
  };
}
