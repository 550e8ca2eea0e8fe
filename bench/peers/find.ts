/** Finds the emulators that are compared. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstLine } from '../report.ts';
import type { Peer, Skipped } from './peer.ts';

export interface Folders {
  /** Of tcg86; dist/ is built. */
  readonly root: string;
  /** Holds node_modules/v86, or is where it is installed to. */
  readonly v86: string;
  /** Holds SeaBIOS's bios.bin and vgabios-stdvga.bin; if it does not, v86 runs on tcg86's firmware. */
  readonly seabios: string;
}

/** The version that results in bench/results were made with. */
const V86_VERSION = '0.5.462';
export const DEFAULT_V86_FOLDER = join(tmpdir(), `tcg86-bench-v86-${V86_VERSION}`);
export const DEFAULT_SEABIOS = '/usr/share/seabios';
const MEMORY = 64;

function tcg86(name: string, version: string, root: string, accel: readonly string[]): Peer {
  const command = [join(root, 'dist/tcg86.js'), '-m', `${MEMORY}`, '-display', 'none', '-serial', 'stdio', '-snapshot', ...accel];
  return { name, version, command: (image) => [process.execPath, ...command, '-fda', image] };
}

/** tcg86 as it is by default, and without its JavaScript backend if it has that switch. */
export function findTcg86(version: string, { root }: Folders): (Peer | Skipped)[] {
  const off = ['-accel', 'tcg,jit=off'];
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist/tcg86.js'), ...off, '-version'], { encoding: 'utf8' });
  const second = { name: 'tcg86 jit=off' };
  return [
    tcg86('tcg86', version, root, []),
    status === 0 ? tcg86(second.name, version, root, off) : { ...second, reason: stderr.trim().split('\n')[0] ?? 'no such switch' },
  ];
}

export function findQemu(): Peer | Skipped {
  const name = 'QEMU', program = 'qemu-system-i386';
  const version = firstLine(program, ['--version']);
  if (version === null) return { name, reason: `${program} is not installed` };
  const command = ['-accel', 'tcg', '-m', `${MEMORY}`, '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-net', 'none'] as const;
  return { name, version: version.replace(/^QEMU emulator version /, ''), command: (image) => [program, ...command, '-drive', `if=floppy,format=raw,snapshot=on,file=${image}`] };
}

/** v86 from its npm package, installed at need. */
export function findV86({ root, v86, seabios }: Folders): Peer | Skipped {
  const name = 'v86', folder = join(v86, 'node_modules/v86');
  if (!existsSync(join(folder, 'package.json'))) {
    mkdirSync(v86, { recursive: true });
    const npm = spawnSync('npm', ['install', '--prefix', v86, '--no-audit', '--no-fund', '--ignore-scripts', `v86@${V86_VERSION}`], { encoding: 'utf8', timeout: 120_000 });
    if (npm.status !== 0) return { name, reason: `npm install v86@${V86_VERSION} failed: ${npm.error?.message ?? npm.stderr.trim().split('\n').at(-1) ?? ''}` };
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const roms = [join(seabios, 'bios.bin'), join(seabios, 'vgabios-stdvga.bin')];
  const seabiosThere = roms.every((file) => existsSync(file));
  const [bios, vga] = seabiosThere ? roms : [join(root, 'dist/bios/bios.bin'), join(root, 'dist/bios/vgabios.bin')];
  return {
    name, version: `${version}, ${seabiosThere ? 'SeaBIOS' : 'firmware of tcg86'}, node ${process.version}`,
    command: (image) => [process.execPath, join(root, 'bench/peers/v86-boot.mjs'), folder, bios!, vga!, `${MEMORY}`, image],
  };
}
