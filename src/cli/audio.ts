/** -audiodev: where sound goes. */
import { WavFile } from '../backends/wav.ts';
import type { Config } from './config.ts';
import { Information, UsageError } from './errors.ts';
import type { Output } from './output.ts';
import { reasonOf } from '../backends/output-file.ts';
import { checkProperties, parseNumber, parseProperties } from './properties.ts';

export interface AudioOption {
  readonly id: string;
  readonly option: string;
  /** null: nobody hears it. */
  readonly path: string | null;
  readonly rate: number;
}

const DRIVERS = ['none', 'wav'];
const DEFAULT_PATH = 'qemu.wav', DEFAULT_RATE = '44100';

export function setAudiodev(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'driver'), driver = properties.get('driver') ?? '', id = properties.get('id');
  if (driver === 'help') throw new Information(`Available audio drivers:\n${DRIVERS.join('\n')}`);
  if (!DRIVERS.includes(driver)) throw new UsageError(`${option} ${value}: '${driver}' is no audio driver here (${DRIVERS.join(', ')})`);
  checkProperties(`${option} ${driver}`, properties, ['driver', 'id', ...(driver === 'wav' ? ['path', 'out.frequency'] : [])]);
  if (!id) throw new UsageError(`${option} ${value}: id=ID is missing`);
  if (config.audiodevs.some((one) => one.id === id)) throw new UsageError(`${option}: Duplicate ID '${id}' for audiodev`);
  config.audiodevs.push({
    id, option: `${option} ${value}`, path: driver === 'wav' ? properties.get('path') || DEFAULT_PATH : null,
    rate: parseNumber(`${option} out.frequency`, properties.get('out.frequency') ?? DEFAULT_RATE, 8000, 192_000),
  });
}

/** Once all options are read. @throws UsageError */
export function checkAudio({ audiodevs, speaker }: Config): void {
  if (speaker !== null && !audiodevs.some(({ id }) => id === speaker)) throw new UsageError(`-machine pcspk-audiodev: audiodev '${speaker}' not found`);
}

/** What the PC speaker plays to; null: nobody. @throws UsageError */
export function openSpeaker({ audiodevs, speaker }: Config, output: Output): WavFile | null {
  const found = audiodevs.find(({ id }) => id === speaker);
  if (found === undefined || found.path === null) return null;
  const { path, rate, option } = found;
  try {
    return new WavFile(path, rate, (reason) => output.complain(`${option}: ${reason}`));
  } catch (error) {
    throw new UsageError(`${option}: ${reasonOf(error)}`);
  }
}
