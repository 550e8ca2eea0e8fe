/**
 * The guest images that boot tests use. They are no part of the project: TCG86_IMAGES names their folder
 * (linux-0.11/bootimage-0.11-hd, freedos722.img, ...). Without it these tests are skipped, and counted so.
 */
import { createHash } from 'node:crypto';
import { constants, copyFileSync, createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

const folder = process.env['TCG86_IMAGES'];

/** The path of an image by its name in the folder, or null if it is not there. */
export function findImage(name: string): string | null {
  if (folder === undefined) return null;
  const path = join(folder, name);
  return existsSync(path) ? path : null;
}

/** Names of those that are not there: for `describe.skipIf`, and for its title. */
export const missing = (...names: string[]): string[] => names.filter((name) => findImage(name) === null);

/** A title that says what a skipped test lacks. */
export const titled = (title: string, lacking: readonly string[]): string => (lacking.length === 0 ? title : `${title} (no ${lacking.join(', ')}: see TCG86_IMAGES)`);

/** The path of an image that must be there. */
export function image(name: string): string {
  const path = findImage(name);
  if (path === null) throw new Error(`no image ${name}`);
  return path;
}

/** Unpacks a .gz image, once for all runs of this user; the copy must not be written to. */
export async function unpacked(name: string): Promise<string> {
  const cache = join(tmpdir(), `tcg86-images-${userInfo().username}`);
  const target = join(cache, basename(name, '.gz'));
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  // Test files run side by side: each unpacks under a name of its own, and the last one to finish wins.
  const partial = join(mkdtempSync(join(cache, 'unpack-')), 'image');
  await pipeline(createReadStream(image(name)), createGunzip(), createWriteStream(partial));
  renameSync(partial, target);
  rmSync(join(partial, '..'), { recursive: true });
  return target;
}

/** A folder for what a test writes; the caller removes it. */
export const scratchFolder = (): string => mkdtempSync(join(tmpdir(), 'tcg86-test-'));

/** A private copy of an image. */
export function copyTo(scratch: string, path: string): string {
  const copy = join(scratch, basename(path));
  copyFileSync(path, copy, constants.COPYFILE_FICLONE);
  return copy;
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
