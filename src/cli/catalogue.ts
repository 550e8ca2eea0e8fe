/**
 * The machines that go by a name (`tcg86 linux-0.11-hd`): which images they boot, and where those can be had. The images are no
 * part of the project. Addresses name a commit, so what is behind them does not change; what counts is the SHA-256.
 */
import type { KnownFile } from '../backends/image-search.ts';

export interface CatalogueFile extends KnownFile {
  /** Its place in a folder of images such as TCG86_IMAGES. */
  readonly place: string;
  /** Its place among GitHub's raw files: OWNER/REPOSITORY/COMMIT/PATH. A path that ends in .xz is a tar with the image in it. */
  readonly origin: string;
}

export interface NamedMachine {
  readonly name: string;
  readonly help: string;
  /** Images in the drives, which the guest's writes never reach. */
  readonly drives: { readonly fda?: CatalogueFile; readonly fdb?: CatalogueFile; readonly hda?: CatalogueFile };
  /** Bytes of memory; without it the default. */
  readonly memory?: number;
}

const LINUX_0_12 = 'ramboma/linux0.12/14a8fef2abb03808c5ea05845102a438362da567';
const LAB = 'tinyclub/linux-0.11-lab/8a7a7c0c89214a68ae3a4b1c08cc41f21633fb59';
const COPY = 'copy/images/db92d8fd4a53dbd73b8e0588bb4bd8fe37a1975a';

const linux = (name: string, size: number, sha256: string): CatalogueFile => ({ name, size, sha256, place: `linux-0.11/${name}`, origin: `${LINUX_0_12}/${name}` });

const BOOT_11_HD = linux('bootimage-0.11-hd', 121_856, 'b484347fddbef98db0b7682b4edddb1213a2cc8aa6ecf8639022c6d26b5758f7');
const BOOT_11_FD = linux('bootimage-0.11-fd', 121_344, '27f95c0f3deff391583aee3967fa6cb9d3a3a112061e5518ee593f3cae893f36');
const BOOT_12_HD = linux('bootimage-0.12-hd', 150_528, 'f6bcf7996426f734fc2330fcdf1a4fcd539e4d10f759e0dc20b8f59167d5fa40');
const ROOT_11 = linux('rootimage-0.11', 1_474_560, 'd3ed829cf15fea30054ab5cfa3c82a884dffa0c3d60ade96c4f46cb9d4db289f');
const DISK_11: CatalogueFile = {
  name: 'hdc-0.11.img', size: 127_631_360, sha256: 'c83a9837f3f804882a76756f2ff46349467bdf66ed44e301a6c5e124f414b6d1',
  place: 'linux-0.11/hdc-0.11.img', origin: `${LAB}/rootfs/hdc-0.11.img.xz`,
};
const FREEDOS: CatalogueFile = {
  name: 'freedos722.img', size: 737_280, sha256: '6c7b3c62823d538e20797fecae6dc55d2572455791a573a7de2cdba0b583f6be',
  place: 'freedos722.img', origin: `${COPY}/freedos722.img`,
};

const MEMORY_LINUX = 16 * 2 ** 20;

export const NAMED_MACHINES: readonly NamedMachine[] = [
  { name: 'linux-0.11-hd', help: 'Linux 0.11 with gcc 1.40, bash, vi, make on a hard disk', memory: MEMORY_LINUX, drives: { fda: BOOT_11_HD, hda: DISK_11 } },
  { name: 'linux-0.11', help: 'Linux 0.11 from two floppies; press Enter when it asks for the root floppy', memory: MEMORY_LINUX, drives: { fda: BOOT_11_FD, fdb: ROOT_11 } },
  { name: 'linux-0.12-hd', help: 'Linux 0.12 with the same hard disk; press a key when it asks about SVGA modes', memory: MEMORY_LINUX, drives: { fda: BOOT_12_HD, hda: DISK_11 } },
  { name: 'freedos', help: 'FreeDOS on a 720 KB floppy', drives: { fda: FREEDOS } },
];

/** Where GitHub keeps raw files. */
const GITHUB = 'https://raw.githubusercontent.com';

/**
 * The addresses of a file, in the order in which they are tried. A mirror may have GitHub's tree, a folder of images as
 * TCG86_IMAGES is one, or all files in one folder; plain or, but in GitHub's tree, as .gz.
 */
export function addressesOf({ name, place, origin }: CatalogueFile, mirror: string | undefined): string[] {
  if (mirror === undefined) return [`${GITHUB}/${origin}`];
  const places = [...new Set([place, name])];
  return [origin, ...places.flatMap((one) => [one, `${one}.gz`])].map((path) => `${mirror.replace(/\/+$/, '')}/${path}`);
}
