/** Error numbers of 9P2000.L: those of Linux, whatever the host is. Source: errno(3), include/uapi/asm-generic/errno.h's documented values. */

const NUMBERS: Readonly<Record<string, number>> = {
  EPERM: 1, ENOENT: 2, EINTR: 4, EIO: 5, ENXIO: 6, EBADF: 9, EAGAIN: 11, ENOMEM: 12, EACCES: 13, EBUSY: 16, EEXIST: 17, EXDEV: 18, ENODEV: 19, ENOTDIR: 20, EISDIR: 21,
  EINVAL: 22, ENFILE: 23, EMFILE: 24, ETXTBSY: 26, EFBIG: 27, ENOSPC: 28, ESPIPE: 29, EROFS: 30, EMLINK: 31, ERANGE: 34, ENAMETOOLONG: 36, ENOTEMPTY: 39, ELOOP: 40,
  EPROTO: 71, EOVERFLOW: 75, EMSGSIZE: 90, EOPNOTSUPP: 95, ENOTSUP: 95, ETIMEDOUT: 110, ESTALE: 116, EDQUOT: 122,
};

export class NinePError extends Error {
  readonly code: string;

  /** @param code a name such as `ENOENT` */
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** The number for an error of this protocol or of the host; EIO for what has none. */
export function errorNumber(error: unknown): number {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return (typeof code === 'string' && Object.hasOwn(NUMBERS, code) ? NUMBERS[code] : undefined) ?? NUMBERS['EIO']!;
}
