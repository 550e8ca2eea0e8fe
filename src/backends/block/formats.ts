/** The image formats that there are, and how each is opened. */

import { ImageError } from './error.ts';
import type { HostFile } from './host-file.ts';
import type { Image } from './image.ts';
import { readHeader } from './qcow2/header.ts';
import { Qcow2Image } from './qcow2/qcow2.ts';
import { QedImage, readQedHeader, qedBackingIsRaw } from './qed.ts';
import { RawImage } from './raw.ts';
import { VdiImage } from './vdi.ts';
import { readVmdkHead, VmdkImage, vmdkParent } from './vmdk/vmdk.ts';
import { VpcImage } from './vpc.ts';

export interface FormatContext {
  /** Opens the backing image by the name and the format in the file; null if none is wanted. */
  readonly backing: (name: string, format: string | null) => Image | null;
  /** The image is opened to be checked and mended. */
  readonly repairs: boolean;
}

export const FORMATS: Readonly<Record<string, (file: HostFile, context: FormatContext) => Image>> = {
  raw: (file) => new RawImage(file),
  qcow2: (file, { backing, repairs }) => {
    const header = readHeader(file);
    return new Qcow2Image(file, header.backingName === null ? null : backing(header.backingName, header.backingFormat), header, repairs);
  },
  qed: (file, { backing }) => {
    const header = readQedHeader(file);
    return new QedImage(file, header.backingName === null ? null : backing(header.backingName, qedBackingIsRaw(header) ? 'raw' : null), header);
  },
  vdi: (file) => new VdiImage(file),
  vmdk: (file, { backing }) => {
    const head = readVmdkHead(file), parent = vmdkParent(head);
    return new VmdkImage(file, parent === null ? null : backing(parent, null), head);
  },
  vpc: (file) => new VpcImage(file),
};

export const FORMAT_NAMES = Object.keys(FORMATS);

/** @throws ImageError for a format that there is not */
export function openFormat(format: string, file: HostFile, context: FormatContext): Image {
  const open = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (open === undefined) throw new ImageError(file.path, `image format '${format}' is not supported (${FORMAT_NAMES.join(', ')})`);
  return open(file, context);
}
