/** Which format an image has, from its first bytes. What is nothing else is raw. */

import { isVpc } from './vpc.ts';
import { QCOW_MAGIC } from './qcow2/header.ts';
import { QED_MAGIC } from './qed.ts';
import { VDI_SIGNATURE } from './vdi.ts';
import { DESCRIPTOR_START } from './vmdk/descriptor.ts';
import { VMDK_MAGIC } from './vmdk/sparse.ts';

/** Bytes that tell. */
export const PROBE_BYTES = 512;

const ascii = (head: Uint8Array, from: number, length: number): string => new TextDecoder('latin1').decode(head.subarray(from, from + length));

/** Formats that QEMU knows and this does not: their images must not be taken for raw ones. */
const FOREIGN: readonly (readonly [string, (head: Uint8Array) => boolean])[] = [
  ['luks', (head) => ascii(head, 0, 6) === 'LUKS\xba\xbe'],
  ['vhdx', (head) => ascii(head, 0, 8) === 'vhdxfile'],
  ['parallels', (head) => ['WithoutFreeSpace', 'WithouFreSpacExt'].includes(ascii(head, 0, 16))],
  ['bochs', (head) => ascii(head, 0, 23) === 'Bochs Virtual HD Image\0'],
  ['cloop', (head) => ascii(head, 0, 17) === '#!/bin/sh\n#V2.0 F'],
];

/** The name of the format that an image begins with the header of; `raw` for none. `head` may be shorter than PROBE_BYTES. */
export function probeFormat(head: Uint8Array): string {
  const padded = new Uint8Array(PROBE_BYTES);
  padded.set(head.subarray(0, PROBE_BYTES));
  const view = new DataView(padded.buffer);
  if (view.getUint32(0) === QCOW_MAGIC) return view.getUint32(4) === 1 ? 'qcow' : 'qcow2';
  if (view.getUint32(0, true) === QED_MAGIC) return 'qed';
  if (view.getUint32(0x40, true) === VDI_SIGNATURE) return 'vdi';
  if (view.getUint32(0, true) === VMDK_MAGIC || ascii(padded, 0, 4) === 'COWD' || isDescriptor(padded)) return 'vmdk';
  if (isVpc(padded)) return 'vpc';
  return FOREIGN.find(([, is]) => is(padded))?.[0] ?? 'raw';
}

/** Comments and empty lines may come before the version. */
function isDescriptor(head: Uint8Array): boolean {
  const text = ascii(head, 0, PROBE_BYTES);
  if (!text.startsWith(DESCRIPTOR_START)) return false;
  const line = text.split('\n').map((one) => one.trim()).find((one) => one !== '' && !one.startsWith('#'));
  return line !== undefined && /^version=[123]$/.test(line);
}
