/**
 * `npm run diverge -- [options]`: runs a guest in tcg86 beside QEMU, instruction by instruction, and stops at the first difference in registers or in
 * what is stored. -h lists the options. Exit code 1 for a difference, 2 if it could not be run.
 */
import { join } from 'node:path';
import { readFirmware } from '../../src/backends/firmware.ts';
import { Information, UsageError } from '../../src/cli/errors.ts';
import { readSymbols } from '../../src/cli/report-file.ts';
import { withImages } from '../../src/cli/run.ts';
import { DEFAULT_MODEL, parseCpuModel } from '../../src/cpu/models.ts';
import { GdbError } from '../../src/gdb/client.ts';
import type { SymbolTable } from '../../src/machine/symbols.ts';
import { Guest } from './guest.ts';
import { HELP, parseDiverge } from './options.ts';
import type { DivergeOptions } from './options.ts';
import { Pair } from './pair.ts';
import { Qemu, QemuError } from './qemu.ts';
import { Comparison } from './registers.ts';
import { report } from './report.ts';

const PROGRESS = 1000;

/** What npm run build has made. */
const ownImage = (name: string): string => join(import.meta.dirname, '../../dist/bios', name);

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

function addressOf(option: string, place: string, symbols: SymbolTable): number {
  const address = /^(0x[0-9a-f]{1,8}|\d+)$/i.test(place) ? Number(place) : symbols.addressOf(place);
  if (address === null || address >= 2 ** 32) throw new UsageError(`${option} ${place}: neither an address (0x7c00) nor a symbol of --symbols`);
  return address | 0;
}

/** Drives that a machine's name stands for, and the demo disk where there is nothing to boot. */
async function withDrives(options: DivergeOptions): Promise<string[]> {
  const { config, words } = options;
  if (config.drives.length === 0 && config.kernel === null && config.bios === null) return [...words, '-drive', `file=${ownImage('demo.img')},if=floppy,format=raw`, '-boot', 'a'];
  const { drives } = await withImages(config);
  return [...words, ...drives.flatMap(({ image, file, interface: kind, index, format }) => (
    image === undefined ? [] : ['-drive', `file=${file.replaceAll(',', ',,')},if=${kind},index=${index},format=${format ?? 'raw'}`]))];
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args.some((word) => ['-h', '-help', '--help'].includes(word))) throw new Information(HELP);
  const options = parseDiverge(args), { config } = options;
  const symbols = readSymbols(config);
  const from = options.from === null ? null : addressOf('--from', options.from.place, symbols), to = options.to === null ? null : addressOf('--to', options.to, symbols);
  const firmware = config.bios ?? ownImage('firmware.bin'), bios = readFirmware(firmware), model = parseCpuModel(config.cpu ?? DEFAULT_MODEL);
  const qemu = await Qemu.start({ program: options.program, memory: config.memory, args: [...await withDrives(options), '-bios', firmware] });
  const limit = config.timeout === null ? null : setTimeout(() => void qemu.close(), config.timeout * 1000);
  try {
    const guest = new Guest({ memory: config.memory, bios, model, file: qemu.file });
    const pair = new Pair(guest, qemu, new Comparison(await qemu.gdb.describe(), options.ignored), options.last);
    if (from !== null) await qemu.runTo(from, options.from!.count);
    await qemu.setStepping(options.interrupts);
    await pair.takeOver();
    return await compare(pair, options, to, symbols);
  } finally {
    if (limit !== null) clearTimeout(limit);
    await qemu.close();
  }
}

async function compare(pair: Pair, options: DivergeOptions, to: number | null, symbols: SymbolTable): Promise<number> {
  let differences = 0, why = '', shown = Date.now();
  const summary = (): string => `${pair.steps} instructions at ${hex(pair.guest.linear)}, ${pair.interrupts} interrupts, ${pair.guest.taken} bytes by devices`;
  while (pair.steps < options.steps && why === '') {
    const outcome = await pair.step();
    if (outcome.kind === 'ended') why = outcome.why;
    else if (outcome.kind === 'different') {
      console.log(report(pair, outcome.found, await pair.qemu.gdb.monitor('info registers'), symbols));
      if (++differences >= options.differences || !pair.resolve(outcome.found)) return 1;
    } else if (to !== null && pair.guest.linear === to) why = `${options.to} was reached`;
    if (process.stderr.isTTY && Date.now() - shown > PROGRESS) {
      process.stderr.write(`\r${summary()} `);
      shown = Date.now();
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
  console.log(`${differences === 0 ? 'no difference' : `${differences} differences`}: ${summary()}${why === '' ? '' : `; ${why}`}`);
  return differences === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof Information) console.log(error.text);
  else {
    const expected = error instanceof UsageError || error instanceof QemuError || error instanceof GdbError;
    console.error(`diverge: ${expected ? error.message : (error as Error).stack}`);
    process.exitCode = 2;
  }
}
