/** New images of every format, by the options that qemu-img gives them. */

import { openChain, resolveBacking } from './chain.ts';
import { ImageError } from './error.ts';
import { HostFile, identityOf } from './host-file.ts';
import { lockFile } from './lock.ts';
import { createQcow2, qcow2Problem } from './qcow2/create.ts';
import type { Qcow2CreateOptions } from './qcow2/create.ts';
import { createQed, qedProblem } from './qed.ts';
import { createRaw } from './raw.ts';
import { createVdi } from './vdi.ts';
import { createVmdk, VMDK_ADAPTERS, VMDK_SUBFORMATS } from './vmdk/create.ts';
import { VmdkImage } from './vmdk/vmdk.ts';
import { createVpc } from './vpc.ts';

export interface CreateOption {
  readonly name: string;
  readonly type: 'size' | 'bool' | 'num' | 'str';
  readonly help: string;
  /** Shown, and taken, when it is not given. */
  readonly fallback?: string;
  /** What a `str` may be. */
  readonly values?: readonly string[];
}

/** Values of options, in the form in which they are shown: sizes in bytes, on and off. */
export type CreateValues = ReadonlyMap<string, string>;

const SIZE: CreateOption = { name: 'size', type: 'size', help: 'Virtual disk size' };
const BACKING: readonly CreateOption[] = [
  { name: 'backing_file', type: 'str', help: 'File name of a base image' }, { name: 'backing_fmt', type: 'str', help: 'Image format of the base image' },
];
const PREALLOCATIONS = ['off', 'falloc', 'full'] as const;

/** Options of each format, in the order in which they are shown. */
export const CREATE_OPTIONS: Readonly<Record<string, readonly CreateOption[]>> = {
  raw: [SIZE, { name: 'preallocation', type: 'str', help: 'Preallocation mode (allowed values: off, falloc, full)', values: PREALLOCATIONS }],
  qcow2: [
    { name: 'cluster_size', type: 'size', help: 'qcow2 cluster size', fallback: '65536' },
    { name: 'extended_l2', type: 'bool', help: 'Extended L2 tables (not supported)', fallback: 'off' },
    { name: 'preallocation', type: 'str', help: 'Preallocation mode (allowed values: off, metadata, falloc, full)', values: ['off', 'metadata', 'falloc', 'full'] },
    { name: 'compression_type', type: 'str', help: 'Compression method used for image cluster compression', fallback: 'zlib', values: ['zlib', 'zstd'] },
    SIZE, { name: 'compat', type: 'str', help: 'Compatibility level (v2 [0.10] or v3 [1.1])', values: ['0.10', '1.1', 'v2', 'v3'] }, ...BACKING,
    { name: 'lazy_refcounts', type: 'bool', help: 'Postpone refcount updates', fallback: 'off' },
    { name: 'refcount_bits', type: 'num', help: 'Width of a reference count entry in bits', fallback: '16' },
  ],
  qed: [
    SIZE, ...BACKING, { name: 'cluster_size', type: 'size', help: 'Cluster size (in bytes)', fallback: '65536' },
    { name: 'table_size', type: 'size', help: 'L1/L2 table size (in clusters)' },
  ],
  vdi: [SIZE, { name: 'static', type: 'bool', help: 'VDI static (pre-allocated) image', fallback: 'off' }],
  vmdk: [
    SIZE, { name: 'adapter_type', type: 'str', help: 'Virtual adapter type, can be one of ide (default), lsilogic, buslogic or legacyESX', values: VMDK_ADAPTERS }, ...BACKING,
    { name: 'compat6', type: 'bool', help: 'VMDK version 6 image', fallback: 'off' }, { name: 'hwversion', type: 'str', help: 'VMDK hardware version', fallback: 'undefined' },
    { name: 'subformat', type: 'str', help: `VMDK flat extent format, can be one of {${VMDK_SUBFORMATS.join(' | ')}}`, values: VMDK_SUBFORMATS },
    { name: 'zeroed_grain', type: 'bool', help: 'Enable efficient zero writes using the zeroed-grain GTE feature' },
  ],
  vpc: [
    SIZE, { name: 'subformat', type: 'str', help: 'Type of virtual hard disk format. Supported formats are {dynamic (default) | fixed}', values: ['dynamic', 'fixed'] },
    { name: 'force_size', type: 'bool', help: 'Force disk size calculation to use the actual size specified, rather than using the nearest CHS-based calculation' },
  ],
};

/** Why an image of `size` bytes cannot be made with these options; null if it can. */
export function createProblem(format: string, size: number, values: CreateValues): string | null {
  for (const { name, values: allowed } of CREATE_OPTIONS[format]!) {
    const value = values.get(name);
    if (allowed !== undefined && value !== undefined && !allowed.includes(value)) return `Parameter '${name}' does not accept value '${value}'`;
  }
  if (values.get('extended_l2') === 'on') return 'Extended L2 tables are not supported';
  if (format === 'qcow2') return qcow2Problem(size, qcow2Options(values));
  if (format === 'qed') return qedProblem(size, qedOptions(values));
  const subformat = values.get('subformat') ?? '';
  if (format === 'vmdk' && subformat.endsWith('Flat') && values.get('zeroed_grain') === 'on') return "Flat image can't enable zeroed grain";
  if (format === 'vmdk' && subformat.endsWith('Flat') && values.has('backing_file')) return "Flat image can't have backing file";
  return null;
}

/** Makes an image, over what was there. Options are those of CREATE_OPTIONS, checked by createProblem. @throws ImageError */
export function createImage(format: string, path: string, size: number, values: CreateValues): void {
  checkUnused(path);
  switch (format) {
    case 'raw': return createRawWith(path, size, values);
    case 'qcow2': return createQcow2(path, size, qcow2Options(values));
    case 'qed': return createQed(path, size, qedOptions(values));
    case 'vdi': return createVdi(path, size, values.get('static') === 'on');
    case 'vpc': return createVpc(path, size, { fixed: values.get('subformat') === 'fixed', forceSize: values.get('force_size') === 'on' });
    case 'vmdk': return createVmdkWith(path, size, values);
    default: throw new ImageError(path, `image format '${format}' cannot be created`);
  }
}

/** @throws ImageError if somebody uses what would be overwritten */
function checkUnused(path: string): void {
  if (identityOf(path) === null) return;
  const file = new HostFile(path);
  try {
    lockFile(file).release();
  } finally {
    file.close();
  }
}

function createRawWith(path: string, size: number, values: CreateValues): void {
  createRaw(path, size);
  if ((values.get('preallocation') ?? 'off') === 'off') return;
  const file = new HostFile(path);
  try {
    const zeros = new Uint8Array(2 ** 20);
    for (let at = 0; at < size; at += zeros.length) file.write(at, zeros.subarray(0, Math.min(zeros.length, size - at)));
  } finally {
    file.close();
  }
}

function qcow2Options(values: CreateValues): Qcow2CreateOptions {
  const preallocation = values.get('preallocation') ?? 'off';
  return {
    version: ['0.10', 'v2'].includes(values.get('compat') ?? '') ? 2 : 3, clusterSize: Number(values.get('cluster_size') ?? 65536),
    refcountBits: Number(values.get('refcount_bits') ?? 16), lazyRefcounts: values.get('lazy_refcounts') === 'on',
    compression: values.get('compression_type') === 'zstd' ? 'zstd' : 'zlib', backingName: values.get('backing_file') ?? null,
    backingFormat: values.get('backing_fmt') ?? null, preallocation: preallocation === 'metadata' || preallocation === 'falloc' || preallocation === 'full' ? preallocation : 'off',
  };
}

function qedOptions(values: CreateValues): Parameters<typeof createQed>[2] {
  return {
    clusterSize: Number(values.get('cluster_size') ?? 65536), tableSize: Number(values.get('table_size') ?? 4),
    backingName: values.get('backing_file') ?? null, backingFormat: values.get('backing_fmt') ?? null,
  };
}

function createVmdkWith(path: string, size: number, values: CreateValues): void {
  const name = values.get('backing_file') ?? null;
  const hardware = values.get('hwversion') ?? 'undefined';
  createVmdk(path, size, {
    subformat: VMDK_SUBFORMATS.find((one) => one === values.get('subformat')) ?? 'monolithicSparse', adapter: VMDK_ADAPTERS.find((one) => one === values.get('adapter_type')) ?? 'ide',
    hardware: hardware === 'undefined' ? (values.get('compat6') === 'on' ? '6' : '4') : hardware, zeroedGrain: values.get('zeroed_grain') === 'on',
    parent: name === null ? null : { name, cid: cidOf(path, name) },
  });
}

function cidOf(path: string, name: string): string {
  const { image, close } = openChain(resolveBacking(path, name), { format: 'vmdk', readOnly: true });
  try {
    return (image as VmdkImage).cid;
  } finally {
    close();
  }
}
