/** What can be wrong with an image, in words for its user. */

/** An image that cannot be used; `message` is one line for the user and names the file. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly path: string;
  /** The message without the file's name. */
  readonly reason: string;

  constructor(path: string, reason: string) {
    super(`cannot use disk image ${path}: ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'no space left on the host (quota)',
  EEXIST: 'the file exists',
  EFBIG: 'larger than the host lets a file be',
  EIO: 'I/O error of the host',
  EISDIR: 'is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the file name is too long',
  ENOENT: 'no such file',
  ENOSPC: 'no space left on the host',
  ENOTDIR: 'no such file (a part of the path is not a directory)',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
};

/** The error of a host call on an image, in words. */
export function imageError(path: string, error: unknown): ImageError {
  if (error instanceof ImageError) return error;
  const code = (error as { code?: string }).code ?? '';
  return new ImageError(path, REASONS[code] ?? (error instanceof Error ? error.message : String(error)));
}
