/** -M: the machines and their properties. */
import { setAccelerator } from './accelerator.ts';
import type { Config } from './config.ts';
import { Information, UsageError } from './errors.ts';
import { parseOnOff, parseProperties } from './properties.ts';

const MACHINES = { pc: 'i440FX + PIIX3 PC (default)', isapc: 'ISA-only PC' } as const;

interface MachineProperty {
  readonly type: string;
  readonly text: string;
  readonly set: (config: Config, value: string, option: string) => void;
}

/** Of all machines. */
const PROPERTIES: Readonly<Record<string, MachineProperty>> = {
  accel: { type: 'string', text: 'Accelerator: tcg', set: (config, value, option) => setAccelerator(config, value, option) },
  hpet: { type: 'bool', text: 'high precision event timer (on)', set: (config, value, option) => { config.hpet = parseOnOff(option, 'hpet', value, true); } },
  'pcspk-audiodev': { type: 'string', text: 'ID of an audiodev to use as a backend of the speaker', set: (config, value) => { config.speaker = value; } },
  vmport: { type: 'OnOffAuto', text: 'VMware port and vmmouse (auto: on)', set: (config, value, option) => {
    config.vmport = value === 'auto' || parseOnOff(option, 'vmport', value, true);
  } },
};

export function setMachine(config: Config, value: string, option: string): void {
  const given = parseProperties(option, value, 'type'), type = given.get('type') ?? config.machine;
  if (type === 'help' || type === '?') {
    throw new Information(['Supported machines are:', ...Object.entries(MACHINES).map(([name, help]) => `${name.padEnd(20)} ${help}`)].join('\n'));
  }
  if (type !== 'pc' && type !== 'isapc') throw new UsageError(`${option} ${value}: unsupported machine type '${type}' (-machine help lists supported machines)`);
  given.delete('type');
  if (given.has('help') || given.has('?')) {
    throw new Information([`${type}-machine options:`, ...Object.entries(PROPERTIES).map(([key, row]) => `${`  ${key}=<${row.type}>`.padEnd(24)} - ${row.text}`)].join('\n'));
  }
  config.machine = type;
  for (const [key, text] of given) {
    if (!Object.hasOwn(PROPERTIES, key)) throw new UsageError(`${option} ${value}: Property '${type}-machine.${key}' not found (known: ${Object.keys(PROPERTIES).join(', ')})`);
    PROPERTIES[key]!.set(config, text, `${option} ${value}`);
  }
}
