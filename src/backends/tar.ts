/** Finds a file in a tar archive. Source: POSIX.1-2001, pax, "ustar Interchange Format". */

const BLOCK = 512;
const NAME = 0, NAME_LENGTH = 100, SIZE = 124, SIZE_LENGTH = 12, TYPE = 156;

const text = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return new TextDecoder('latin1').decode(end < 0 ? bytes : bytes.subarray(0, end));
};

/** The contents of the first regular file whose name, without folders, is `name`. @throws Error if it is not there or cut */
export function fileInTar(archive: Uint8Array, name: string): Uint8Array {
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0; ) {
    const header = archive.subarray(at, at + BLOCK);
    const size = parseInt(text(header.subarray(SIZE, SIZE + SIZE_LENGTH)).trim() || '0', 8);
    if (!Number.isSafeInteger(size)) throw new Error('the tar archive is damaged');
    const type = header[TYPE]!;
    const found = text(header.subarray(NAME, NAME + NAME_LENGTH)).split('/').at(-1);
    at += BLOCK;
    // '0', and what archives of before 1988 write for it.
    if (found === name && (type === 0x30 || type === 0)) {
      if (at + size > archive.length) throw new Error('the tar archive is cut off');
      return archive.subarray(at, at + size);
    }
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Error(`no ${name} in the tar archive`);
}
