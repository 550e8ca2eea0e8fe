/**
 * Brings the images of named machines: from the folder TCG86_IMAGES, from the cache, unpacked from the folder into the cache,
 * or downloaded into it. What has not the right SHA-256 is never used.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DownloadError, download } from '../backends/download.ts';
import { ImageCache, WrongContents, cacheFolder } from '../backends/image-cache.ts';
import { findFile, findPacked, listFiles } from '../backends/image-search.ts';
import type { ListedFile } from '../backends/image-search.ts';
import { reasonOf } from '../backends/output-file.ts';
import { fileInTar } from '../backends/tar.ts';
import { unpackXz } from '../backends/xz.ts';
import { NAMED_MACHINES, addressesOf } from './catalogue.ts';
import type { CatalogueFile } from './catalogue.ts';
import { UsageError } from './errors.ts';
import { Progress } from './progress.ts';

/** Room for a tar's headers around an image, and for what packing adds to a file that does not get smaller. */
const SLACK = 1 << 20;

export interface ImageSources {
  /** TCG86_IMAGES: a folder that is searched. */
  readonly folder?: string | undefined;
  /** TCG86_MIRROR: an address in place of GitHub's. */
  readonly mirror?: string | undefined;
  readonly cache: ImageCache;
  /** Where progress is shown. */
  readonly terminal: ConstructorParameters<typeof Progress>[0];
  readonly signal?: AbortSignal;
  readonly patience?: number;
}

/** As the environment has it. */
export const sourcesOf = (environment: NodeJS.ProcessEnv, signal?: AbortSignal): ImageSources => ({
  folder: environment['TCG86_IMAGES'] || undefined, mirror: environment['TCG86_MIRROR'] || undefined,
  cache: new ImageCache(cacheFolder(environment, process.platform)), terminal: process.stderr, ...(signal === undefined ? {} : { signal }),
});

/** What is in a packed file, by how its name ends. @throws Error for what is damaged or too large */
function unpack(name: string, bytes: Uint8Array, wanted: CatalogueFile): Uint8Array {
  if (name.endsWith('.xz')) return fileInTar(unpackXz(bytes, wanted.size + SLACK), wanted.name);
  if (!name.endsWith('.gz')) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: wanted.size });
  } catch (error) {
    throw new Error(`not a gzip file of ${wanted.size} bytes (${(error as Error).message})`);
  }
}

export class ImageFinder {
  readonly #sources: ImageSources;
  #listed: ListedFile[] | null = null;

  constructor(sources: ImageSources) {
    this.#sources = sources;
  }

  /** The path of an image that is here already, or null. */
  find(wanted: CatalogueFile): string | null {
    return findFile(this.#files(), wanted) ?? this.#sources.cache.find(wanted);
  }

  /** The path of a packed file that seems to hold it, or null. */
  findPacked(wanted: CatalogueFile): string | null {
    return findPacked(this.#files(), wanted)[0] ?? null;
  }

  /** The path of an image, which is fetched if it has to be. @throws UsageError with one line that says what to do */
  async bring(wanted: CatalogueFile): Promise<string> {
    const here = this.find(wanted);
    if (here !== null) return here;
    for (const path of findPacked(this.#files(), wanted)) {
      const found = this.#unpackFrom(path, wanted);
      if (found !== null) return found;
    }
    return this.#fetch(wanted);
  }

  #files(): ListedFile[] {
    const { folder } = this.#sources;
    return this.#listed ??= folder === undefined ? [] : listFiles(folder);
  }

  /** Unpacks a file into the cache; null if something else was in it. */
  #unpackFrom(path: string, wanted: CatalogueFile): string | null {
    const progress = new Progress(this.#sources.terminal, `unpacking ${path}`);
    try {
      progress.say('');
      return this.#keep(wanted, unpack(path, readFileSync(path), wanted));
    } catch (error) {
      if (error instanceof UsageError) throw error;
      return null;
    } finally {
      progress.close();
    }
  }

  async #fetch(wanted: CatalogueFile): Promise<string> {
    const { mirror } = this.#sources;
    if (mirror !== undefined && !/^https?:\/\/./.test(mirror)) throw new UsageError(`TCG86_MIRROR=${mirror}: not an http:// or https:// address`);
    let error: unknown;
    for (const address of addressesOf(wanted, mirror)) {
      try {
        return await this.#fetchFrom(address, wanted);
      } catch (failure) {
        if (failure instanceof UsageError || this.#sources.signal?.aborted === true) throw failure;
        error ??= failure;
        // Only a file that is not there may be somewhere else.
        if (!(failure instanceof DownloadError && failure.missing)) {
          error = failure;
          break;
        }
      }
    }
    throw new UsageError(`${wanted.name}: ${(error as Error).message}. ${this.#advice(wanted)}`);
  }

  async #fetchFrom(address: string, wanted: CatalogueFile): Promise<string> {
    const { terminal, signal, patience } = this.#sources;
    const progress = new Progress(terminal, `downloading ${wanted.name} from ${new URL(address).host}`);
    try {
      const bytes = await download(address, {
        limit: wanted.size + SLACK, progress: (done, total) => progress.update(done, total),
        ...(signal === undefined ? {} : { signal }), ...(patience === undefined ? {} : { patience }),
      });
      if (bytes.length !== wanted.size) progress.say('unpacking');
      return this.#keep(wanted, unpack(address, bytes, wanted));
    } catch (error) {
      if (error instanceof UsageError || error instanceof DownloadError || signal?.aborted === true) throw error;
      throw new Error(`what is at ${address} is not the file wanted: ${(error as Error).message}`);
    } finally {
      progress.close();
    }
  }

  /** @throws WrongContents; UsageError if it cannot be written */
  #keep(wanted: CatalogueFile, bytes: Uint8Array): string {
    const { cache } = this.#sources;
    try {
      return cache.keep(wanted, bytes);
    } catch (error) {
      if (error instanceof WrongContents) throw error;
      throw new UsageError(`cannot keep ${wanted.name} (${(wanted.size / 1e6).toFixed(1)} MB) in ${cache.folder}: ${reasonOf(error)}. XDG_CACHE_HOME names another place`);
    }
  }

  #advice(wanted: CatalogueFile): string {
    const [origin] = addressesOf(wanted, undefined);
    return `To do it by hand: put ${basename(origin!)} from ${origin} into a folder and name that in TCG86_IMAGES`;
  }
}

/** What `tcg86 --images` prints. */
export function describeImages(sources: ImageSources): string {
  const finder = new ImageFinder(sources);
  const state = (file: CatalogueFile): string => {
    const path = finder.find(file);
    if (path !== null) return path;
    const packed = finder.findPacked(file);
    return packed === null ? `not here yet: downloaded at the first start (${(file.size / 1e6).toFixed(1)} MB)` : `${packed}: unpacked at the first start`;
  };
  const lines = NAMED_MACHINES.flatMap(({ name, help, drives }) => [
    `${name.padEnd(16)}${help}`, ...Object.entries(drives).map(([drive, file]) => `  -${drive} ${file.name.padEnd(18)} ${state(file)}`),
  ]);
  return [...lines, '', `cache: ${sources.cache.folder}`, `TCG86_IMAGES: ${sources.folder ?? '(not set)'}`, ...(sources.mirror === undefined ? [] : [`TCG86_MIRROR: ${sources.mirror}`])].join('\n');
}
