// Boots a floppy image on v86, COM1 on standard output:
//   node v86-boot.mjs FOLDER-OF-V86 BIOS VGA-BIOS MEMORY-IN-MIB IMAGE
// Standard output must be a pipe or a file: then Node writes each byte before the guest goes on.
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, bios, vgaBios, memory, image] = process.argv.slice(2);
const { V86 } = await import(pathToFileURL(join(folder, 'build/libv86.mjs')).href);
const read = (file) => ({ buffer: new Uint8Array(readFileSync(file)).buffer });

const emulator = new V86({
  wasm_path: join(folder, 'build/v86.wasm'),
  memory_size: Number(memory) * 1024 * 1024,
  vga_memory_size: 2 * 1024 * 1024,
  bios: read(bios),
  vga_bios: read(vgaBios),
  fda: read(image),
  boot_order: 0x321, // floppy first
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  log_level: 0,
  autostart: true,
});
emulator.add_listener('serial0-output-byte', (byte) => writeSync(1, Uint8Array.of(byte)));
