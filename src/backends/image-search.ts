/** Finds images by what is in them: first by size, which is quick, then by SHA-256. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A file that is wanted: how large it is, and the SHA-256 of its bytes in hexadecimal. */
export interface KnownFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

export interface ListedFile {
  readonly path: string;
  readonly size: number;
}

const PIECE = 1 << 20;
const GZIP_MAGIC = 0x8b1f;

/** All regular files under a folder; what may not be read is left out. */
export function listFiles(folder: string): ListedFile[] {
  const found: ListedFile[] = [];
  const seen = new Set<string>();
  const visit = (path: string): void => {
    const real = realpathSync(path);
    // Links may lead in circles.
    if (seen.has(real)) return;
    seen.add(real);
    for (const name of readdirSync(path)) attempt(() => look(join(path, name)));
  };
  const look = (path: string): void => {
    const status = statSync(path);
    if (status.isDirectory()) visit(path);
    else if (status.isFile()) found.push({ path, size: status.size });
  };
  attempt(() => visit(folder));
  return found;
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Not there any more, or not for us.
  }
}

export function sha256Of(path: string): string {
  const hash = createHash('sha256'), piece = new Uint8Array(PIECE);
  const file = openSync(path, 'r');
  try {
    for (let count = readSync(file, piece); count > 0; count = readSync(file, piece)) hash.update(piece.subarray(0, count));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

/** The file is there and is what is wanted. */
export function isFile(path: string, { size, sha256 }: KnownFile): boolean {
  try {
    const status = statSync(path);
    return status.isFile() && status.size === size && sha256Of(path) === sha256;
  } catch {
    return false;
  }
}

/** The path of the one that is wanted, or null. */
export function findFile(files: readonly ListedFile[], wanted: KnownFile): string | null {
  const right = files.filter(({ size }) => size === wanted.size);
  const named = ({ path }: ListedFile): boolean => basename(path) === wanted.name;
  const inOrder = [...right.filter(named), ...right.filter((file) => !named(file))];
  return inOrder.find(({ path }) => isFile(path, wanted))?.path ?? null;
}

/**
 * Paths of packed files that may hold the one that is wanted: .gz whose last four bytes (RFC 1952: length modulo 2^32) are its
 * size, and .xz of its name. Only unpacking tells.
 */
export function findPacked(files: readonly ListedFile[], wanted: KnownFile): string[] {
  const holds = ({ path, size }: ListedFile): boolean => (path.endsWith('.gz') ? gzipLength(path, size) === wanted.size : basename(path) === `${wanted.name}.xz`);
  return files.filter(holds).map(({ path }) => path);
}

/** What a gzip file says of the length of its contents, or -1. */
function gzipLength(path: string, size: number): number {
  const bytes = new Uint8Array(4);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, bytes, 0, 2, 0);
      if ((bytes[0]! | bytes[1]! << 8) !== GZIP_MAGIC) return -1;
      readSync(file, bytes, 0, 4, Math.max(0, size - 4));
    } finally {
      closeSync(file);
    }
  } catch {
    return -1;
  }
  return new DataView(bytes.buffer).getUint32(0, true);
}
