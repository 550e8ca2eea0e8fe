/**
 * Locks on image files: many readers or one writer. Node has no call to lock a file, so a lock is a small file in a folder of the
 * user's in the host's temporary folder. Its name says which file is meant, who holds it and what for; what a process left that
 * has ended does not count. QEMU's locks are seen too, on Linux: it locks byte 101 of an image to write it, and byte 201 against writers.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageError } from './error.ts';
import type { HostFile } from './host-file.ts';

const QEMU_WRITES = 101, QEMU_NO_WRITERS = 201;

export interface Lock {
  release(): void;
}

const folder = (): string => join(tmpdir(), `tcg86-locks-${process.getuid?.() ?? 'user'}`);

/** When a process started, so that a number that is used again is not taken for it; '' where the host does not say. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22; the second one is a name in parentheses, with anything in it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** @throws ImageError if somebody else writes the file, or if this is to write and somebody reads it */
export function lockFile(file: HostFile): Lock {
  const kind = file.readOnly ? 'r' : 'w';
  if (lockedByQemu(file)) throw new ImageError(file.path, 'it is in use by another process (QEMU)');
  const prefix = `${file.identity.replace(':', '-')}-`;
  const place = folder();
  let mine = '';
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    for (let number = 0; mine === ''; number++) {
      const name = `${prefix}${process.pid}-${number}-${kind}`;
      try {
        writeFileSync(join(place, name), startOf(process.pid), { flag: 'wx' });
        mine = name;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  } catch {
    // Where nothing can be written, nothing can be locked: that is no reason not to run.
    return { release: () => {} };
  }
  const release = (): void => rmSync(join(place, mine), { force: true });
  for (const name of readdirSync(place)) {
    if (name === mine) continue;
    const pid = Number(name.split('-')[2]);
    if (isStale(join(place, name), pid)) {
      rmSync(join(place, name), { force: true });
      continue;
    }
    if (!name.startsWith(prefix) || (kind === 'r' && name.endsWith('r'))) continue;
    release();
    throw new ImageError(file.path, pid === process.pid ? 'it is in another drive already, and is not a snapshot' : `it is in use by process ${pid}`);
  }
  return { release };
}

function isStale(path: string, pid: number): boolean {
  if (!isAlive(pid)) return true;
  try {
    const start = readFileSync(path, 'utf8');
    return start !== '' && start !== startOf(pid);
  } catch {
    // Released just now.
    return true;
  }
}

function lockedByQemu(file: HostFile): boolean {
  let locks: string;
  try {
    locks = readFileSync('/proc/locks', 'utf8');
  } catch {
    return false;
  }
  const inode = file.identity.split(':')[1]!;
  const refused = file.readOnly ? [QEMU_WRITES] : [QEMU_WRITES, QEMU_NO_WRITERS];
  return locks.split('\n').some((line) => {
    const [, type, , , , where, start, end] = line.trim().split(/\s+/);
    return type === 'OFDLCK' && where?.split(':')[2] === inode && refused.some((byte) => Number(start) <= byte && (end === 'EOF' || Number(end) >= byte));
  });
}
