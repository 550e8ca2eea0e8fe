/**
 * The descriptor of a VMDK image: text that names the type, the parent and the extents. It lies in a file of its own or within a
 * sparse extent. Source: VMware, Virtual Disk Format 1.1, "The Descriptor File".
 */

export const DESCRIPTOR_START = '# Disk DescriptorFile';
export const NO_PARENT = 'ffffffff';

export interface ExtentLine {
  readonly access: string;
  readonly sectors: number;
  readonly type: string;
  /** null: there is no file (ZERO). */
  readonly file: string | null;
  /** In the file, in sectors. */
  readonly offset: number;
}

export interface Descriptor {
  readonly cid: string;
  readonly parentCid: string;
  readonly createType: string;
  readonly parentName: string | null;
  readonly extents: readonly ExtentLine[];
}

const EXTENT = /^(RW|RDONLY|NOACCESS) (\d+) (\w+)(?: "([^"\n]*)"(?: (\d+))?)?\s*$/gm;

export function parseDescriptor(text: string): Descriptor {
  const value = (key: string): string | null => new RegExp(`^${key}\\s*=\\s*"?([^"\\n\\r]*)"?\\s*$`, 'm').exec(text)?.[1] ?? null;
  return {
    cid: value('CID') ?? NO_PARENT, parentCid: value('parentCID') ?? NO_PARENT, createType: value('createType') ?? '', parentName: value('parentFileNameHint'),
    extents: [...text.matchAll(EXTENT)].map(([, access, sectors, type, file, offset]) => ({
      access: access!, sectors: Number(sectors), type: type!, file: file ?? null, offset: Number(offset ?? 0),
    })),
  };
}

/** The same text with another content id; null if it has none of the usual width. */
export function withCid(text: string, cid: string): string | null {
  return /^CID=[0-9a-f]{8}$/m.test(text) ? text.replace(/^CID=[0-9a-f]{8}$/m, `CID=${cid}`) : null;
}

export interface DescriptorOptions {
  readonly cid: string;
  readonly parentCid: string;
  readonly parentName: string | null;
  readonly createType: string;
  readonly extents: readonly string[];
  readonly cylinders: number;
  readonly heads: number;
  readonly adapter: string;
  readonly hardware: string;
}

export function encodeDescriptor(options: DescriptorOptions): string {
  return [
    DESCRIPTOR_START, 'version=1', `CID=${options.cid}`, `parentCID=${options.parentCid}`, `createType="${options.createType}"`,
    ...(options.parentName === null ? [] : [`parentFileNameHint="${options.parentName}"`]), '', '# Extent description', ...options.extents, '',
    '# The Disk Data Base', '#DDB', '', `ddb.virtualHWVersion = "${options.hardware}"`, `ddb.geometry.cylinders = "${options.cylinders}"`,
    `ddb.geometry.heads = "${options.heads}"`, 'ddb.geometry.sectors = "63"', `ddb.adapterType = "${options.adapter}"`, '',
  ].join('\n');
}
