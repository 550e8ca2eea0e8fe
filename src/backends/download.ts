/** Fetches a file over HTTP(S) into memory. */

/** Why a download failed, in one line. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
  /** The server answered that it has no such file. */
  readonly missing: boolean;
  constructor(message: string, missing = false) {
    super(message);
    this.missing = missing;
  }
}

export interface DownloadOptions {
  /** Most bytes that are taken. */
  readonly limit: number;
  /** Told how many bytes have come, and of how many (0: the server did not say). */
  readonly progress?: (done: number, total: number) => void;
  /** Ends it early: the reason given is what download() rejects with. */
  readonly signal?: AbortSignal;
  /** Milliseconds without a byte after which it is given up; default 30 s. */
  readonly patience?: number;
}

const PATIENCE = 30_000;
const NOT_FOUND = [404, 410];

/** @throws DownloadError; or the signal's reason */
export async function download(url: string, { limit, progress, signal, patience = PATIENCE }: DownloadOptions): Promise<Uint8Array> {
  const control = new AbortController();
  const end = (): void => control.abort();
  let timer = setTimeout(end, patience);
  signal?.addEventListener('abort', end);
  const pieces: Uint8Array[] = [];
  let done = 0, answered = false;
  try {
    const response = await fetch(url, { signal: control.signal, headers: { 'accept-encoding': 'identity' } });
    if (!response.ok) throw new DownloadError(`${url}: the server says ${response.status} ${response.statusText}`.trim(), NOT_FOUND.includes(response.status));
    answered = true;
    const total = Number(response.headers.get('content-length') ?? 0);
    for await (const piece of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(end, patience);
      done += piece.length;
      if (done > limit) throw new DownloadError(`${url}: larger than the ${limit} bytes expected`);
      pieces.push(piece);
      progress?.(done, total);
    }
    if (done < total) throw new DownloadError(`${url}: broke off after ${done} of ${total} bytes`);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof DownloadError) throw error;
    if (control.signal.aborted) throw new DownloadError(`${url}: nothing came for ${patience / 1000} seconds`);
    throw new DownloadError(answered ? `${url}: broke off after ${done} bytes` : `${url}: ${unreachable(url, error as Error)}`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
  return Buffer.concat(pieces);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'host not found', EAI_AGAIN: 'no name server answers', ECONNREFUSED: 'connection refused', ENETUNREACH: 'network unreachable',
  EHOSTUNREACH: 'host unreachable', ETIMEDOUT: 'no answer', ECONNRESET: 'connection reset', UND_ERR_CONNECT_TIMEOUT: 'no answer',
  UND_ERR_SOCKET: 'the connection was closed',
};

/** fetch() hides what went wrong in the error's cause; with several addresses tried, in the first of its errors. */
function unreachable(url: string, error: Error): string {
  const cause = (error.cause ?? error) as { code?: string; message?: string };
  const why = REASONS[cause.code ?? ''] ?? (cause.message || cause.code || error.message);
  return `cannot reach ${URL.canParse(url) ? new URL(url).host : url} (${why})`;
}
