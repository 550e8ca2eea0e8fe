/**
 * What time is measured in: `wall`, the host's clock; or `cpu`, the processor time that the emulator got, for a host where others work too.
 * All clocks are in ms.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

export const CLOCKS = ['wall', 'cpu'] as const;
export type ClockName = typeof CLOCKS[number];

/** This process. cpu: all threads, V8's compilers and collectors included. */
export function ownClock(name: ClockName): () => number {
  if (name === 'wall') return () => performance.now();
  return () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
}

/** As ownClock, but without the time in which this process waited for timers. */
export function busyClock(name: ClockName): () => number {
  return name === 'wall' ? () => performance.eventLoopUtilization().active : ownClock(name);
}

/** Another process. cpu: all threads, by Linux's schedstat, exact to a timer tick (1 to 10 ms); 0 once it has gone. */
export function processClock(name: ClockName, pid: number): () => number {
  if (name === 'wall') return () => performance.now();
  return () => {
    let nanoseconds = 0;
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`)) nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A thread, or the whole process, ended in between.
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    }
    return nanoseconds / 1e6;
  };
}

/** @throws Error for another word. */
export function parseClock(text: string): ClockName {
  const name = CLOCKS.find((clock) => clock === text);
  if (name === undefined) throw new Error(`--clock: no '${text}' (${CLOCKS.join(', ')})`);
  return name;
}
