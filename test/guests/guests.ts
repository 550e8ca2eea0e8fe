/**
 * Guests from Debian packages, and what they must show. Their files are found where the packages are installed, or in the folder
 * TCG86_PACKAGES that they were unpacked to: `apt-get download PACKAGE && dpkg -x PACKAGE*.deb FOLDER`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openUserNetwork } from '../../src/index.ts';
import type { Machine, PcOptions } from '../../src/index.ts';

export interface PackagedGuest {
  readonly name: string;
  readonly package: string;
  readonly files: readonly string[];
  /** @param paths of the files */
  readonly options: (...paths: string[]) => PcOptions | Promise<PcOptions>;
  /** Comes back when the guest has shown what it must. @throws Error */
  readonly shows: (machine: Machine) => Promise<void>;
  /** More than a minute. */
  readonly slow: boolean;
}

const INSTALLER = 'usr/lib/debian-installer/images/12/i386/text/debian-installer/i386';
const INSTALLER_PACKAGE = { package: 'debian-installer-12-netboot-i386', files: [`${INSTALLER}/linux`, `${INSTALLER}/initrd.gz`], slow: true };
/** iPXE asks for an address by itself, or is told to. Its network lives as long as the process: nothing of the host is open in it. */
const ipxe = (model: string) => ({
  package: 'ipxe', slow: true,
  options: async (file: string): Promise<PcOptions> => ({
    ...(file.endsWith('.iso') ? { cdrom: file, boot: 'd' } : { kernel: file, append: 'dhcp && show net0/ip && shell' }), memory: '64M',
    nics: [{ model, network: await openUserNetwork() }],
  }),
  shows: (machine: Machine): Promise<void> => machine.expect(/Configuring[^]*ok[^]*10\.0\.2\.15/),
});
const grubMenu = (machine: Machine): Promise<void> => machine.expect(/GNU GRUB +version[^]*GNU\/Linux[^]*executed automatically/);

export const PACKAGED_GUESTS: readonly PackagedGuest[] = [
  {
    name: 'GRUB rescue floppy', package: 'grub-rescue-pc', files: ['usr/lib/grub-rescue/grub-rescue-floppy.img'], slow: false,
    options: (file) => ({ drives: [{ file, interface: 'floppy', index: 0, format: 'raw', snapshot: true }], boot: 'a' }), shows: grubMenu,
  },
  {
    name: 'GRUB rescue CD', package: 'grub-rescue-pc', files: ['usr/lib/grub-rescue/grub-rescue-cdrom.iso'], slow: false,
    options: (cdrom) => ({ cdrom, boot: 'd' }), shows: grubMenu,
  },
  {
    name: 'GRUB invaders', package: 'grub-invaders', files: ['boot/invaders.exec'], slow: false,
    options: (kernel) => ({ kernel }), shows: (machine) => machine.expect(/-\*-[^]*\/ \\/),
  },
  ...['e1000', 'rtl8139', 'ne2k_pci', 'virtio-net-pci'].map((model) => ({ name: `iPXE with ${model}`, files: ['boot/ipxe.lkrn'], ...ipxe(model) })),
  { name: 'iPXE from its CD', files: ['usr/lib/ipxe/ipxe.iso'], ...ipxe('rtl8139') },
  {
    name: 'memtest86+', package: 'memtest86+', files: ['boot/memtest86+ia32.bin'], slow: true,
    options: (kernel) => ({ kernel, append: 'nosmp', memory: '64M' }),
    shows: async (machine) => {
      await machine.expect(/Pass: +[1-9]/);
      if (!/Errors: 0\b/.test(machine.screen())) throw new Error('memtest86+ found errors');
    },
  },
  {
    name: "Debian 12's installer", ...INSTALLER_PACKAGE,
    options: (kernel, initrd) => ({ kernel, initrd, append: 'vga=788 --- quiet', memory: '512M' }),
    shows: async (machine) => {
      while (!isLanguageScreen(machine.board.picture())) await machine.wait(2);
    },
  },
  {
    name: "Debian 12's installer, text mode", ...INSTALLER_PACKAGE,
    options: (kernel, initrd) => ({ kernel, initrd, append: 'vga=normal fb=false nomodeset --- quiet', memory: '512M' }),
    shows: (machine) => machine.expect(/Select a language[^]*English/),
  },
];

/** Newt's colours on the frame buffer: a large grey window on blue, and in it one line in red, the language. */
function isLanguageScreen({ width, height, rgba }: { width: number; height: number; rgba: Uint8Array }): boolean {
  const counts = new Map<number, number>();
  for (let i = 0; i < rgba.length; i += 4) {
    const color = rgba[i]! << 16 | rgba[i + 1]! << 8 | rgba[i + 2]!;
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  const share = (color: number): number => (counts.get(color) ?? 0) / (width * height);
  return share(0xaaaaaa) > 0.5 && share(0x0000aa) > 0.02 && share(0xaa0000) > 0.002;
}

/** The guest's files, or null if one is not there. */
export function findFiles({ files }: PackagedGuest): string[] | null {
  const paths = files.map((file) => join(process.env['TCG86_PACKAGES'] ?? '/', file));
  return paths.every((path) => existsSync(path)) ? paths : null;
}
