/**
 * The file bootorder, by which firmware knows which devices are to boot first: paths as Open Firmware has them, a line each, and a last line HALT where
 * nothing else may boot. Paths and order are QEMU's.
 */
import { FIRST_CARD_SLOT } from '../devices/pc.ts';
import type { PcOptions } from '../index.ts';

/** The file; none where no device has a place. @throws Error for a place that two have */
export function bootOrderOf(options: PcOptions): [name: string, bytes: Uint8Array][] {
  const isa = options.machine === 'isapc', places = new Map<number, string>();
  const add = (bootIndex: number | undefined, path: string): void => {
    if (bootIndex === undefined || bootIndex < 0) return;
    if (places.has(bootIndex)) throw new Error(`The bootindex ${bootIndex} has already been used`);
    places.set(bootIndex, path);
  };
  const pciNics = (options.nics ?? []).filter(({ model }) => model !== 'ne2k_isa'), { drives = [] } = options;
  const card = (kind: string, number: number, path: string): string => `/pci@i0cf8/${kind}@${(FIRST_CARD_SLOT + number).toString(16)}/${path}`;
  pciNics.forEach(({ bootIndex }, number) => add(bootIndex, card('ethernet', number, 'ethernet-phy@0')));
  const virtio = drives.filter((drive) => drive.interface === 'virtio').sort((a, b) => a.index - b.index);
  virtio.forEach(({ bootIndex }, number) => add(bootIndex, card('scsi', pciNics.length + number, 'disk@0,0')));
  for (const { interface: kind, index, bootIndex } of drives) {
    const channel = index >> 1, unit = index & 1;
    if (kind === 'ide') add(bootIndex, isa ? `/isa/ide@${channel === 0 ? '01f0' : '0170'}/drive@0/disk@${unit}` : `/pci@i0cf8/ide@1,1/drive@${channel}/disk@${unit}`);
    if (kind === 'floppy') add(bootIndex, `${isa ? '/isa' : '/pci@i0cf8/isa@1'}/fdc@03f0/floppy@${index}`);
  }
  if (places.size === 0) return [];
  const lines = [...places].sort(([a], [b]) => a - b).map(([, path]) => path);
  if (options.kernel !== undefined) lines.unshift('/rom@genroms/kernelboot.bin');
  if (options.bootStrict === true) lines.push('HALT');
  return [['bootorder', new TextEncoder().encode(`${lines.join('\n')}\0`)]];
}
