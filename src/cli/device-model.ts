/**
 * What -device takes: a model is a row with its bus and its properties, and everything follows from the row: how `NAME,key=value` is read and
 * checked, `-device help` and `-device NAME,help`. Wording and layout are QEMU's.
 */
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { parseNumber, parseOnOff } from './properties.ts';

/** In the order of -device help. */
export const CATEGORIES = ['Storage', 'Network', 'Input', 'Display', 'Misc'] as const;

export interface DeviceProperty {
  readonly type: 'str' | 'bool' | 'uint8' | 'uint16' | 'uint32' | 'int32';
  /** The type's name in help where it is not `type`. */
  readonly typeName?: string;
  readonly text?: string;
  readonly default?: string | number | boolean;
  /** Bounds that are closer than those of the type. */
  readonly min?: number;
  readonly max?: number;
  /** All that a str may be. */
  readonly choices?: readonly string[];
}

export interface DeviceModel {
  readonly category: (typeof CATEGORIES)[number];
  readonly bus: 'ISA' | 'PCI' | 'IDE' | 'virtio-serial-bus' | 'floppy-bus';
  readonly alias?: string;
  readonly description?: string;
  readonly properties: Readonly<Record<string, DeviceProperty>>;
  /** @param option with the model's name, for messages @param bus which it is to be on; null: any */
  readonly add: (config: Config, values: DeviceValues, option: string, bus: string | null) => void;
}

export type DeviceModels = Readonly<Record<string, DeviceModel>>;

const TYPE_MAX = { uint8: 0xff, uint16: 0xffff, uint32: 0xffff_ffff, int32: 0x7fff_ffff } as const;
const INT32_MIN = -0x8000_0000;
/** Column of the texts. */
const TEXT_COLUMN = 24;

/** The properties that were given, each checked against its row, and what the others are by default. */
export class DeviceValues {
  readonly #values = new Map<string, string | number | boolean>();

  /** @throws UsageError */
  constructor(name: string, { properties }: DeviceModel, given: ReadonlyMap<string, string>, option: string) {
    for (const [key, text] of given) {
      if (!Object.hasOwn(properties, key)) throw new UsageError(`${option}: Property '${name}.${key}' not found (known: ${Object.keys(properties).join(', ') || 'none'})`);
      this.#values.set(key, parseValue(option, key, text, properties[key]!));
    }
    for (const [key, property] of Object.entries(properties)) {
      if (property.default !== undefined && !this.#values.has(key)) this.#values.set(key, property.default);
    }
  }

  text(key: string): string | undefined {
    const value = this.#values.get(key);
    return value === undefined ? undefined : String(value);
  }

  number(key: string): number | undefined {
    const value = this.#values.get(key);
    return typeof value === 'number' ? value : undefined;
  }

  on(key: string): boolean {
    return this.#values.get(key) === true;
  }
}

function parseValue(option: string, key: string, text: string, { type, min, max, choices }: DeviceProperty): string | number | boolean {
  if (type === 'bool') return parseOnOff(option, key, text, false);
  if (type !== 'str') return parseNumber(`${option} ${key}`, text, min ?? (type === 'int32' ? INT32_MIN : 0), max ?? TYPE_MAX[type]);
  if (choices !== undefined && !choices.includes(text)) throw new UsageError(`${option}: parameter '${key}' expects ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}, not '${text}'`);
  return text;
}

/** Where a device is in the order of booting. */
export const BOOT_INDEX = { bootindex: { type: 'int32', text: 'place in the order of booting, the least first; negative: none' } } as const satisfies Record<string, DeviceProperty>;

/** What a device's bootindex says. @throws UsageError for one that another has */
export function bootIndexOf(config: Config, values: DeviceValues, option: string): { bootIndex?: number } {
  const bootIndex = values.number('bootindex');
  if (bootIndex === undefined || bootIndex < 0) return {};
  if (config.bootIndexes.includes(bootIndex)) throw new UsageError(`${option}: The bootindex ${bootIndex} has already been used`);
  config.bootIndexes.push(bootIndex);
  return { bootIndex };
}

/** `-device help`. */
export function listDevices(models: DeviceModels): string {
  return CATEGORIES.map((category) => {
    const lines = Object.entries(models).filter(([, model]) => model.category === category).sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
    return [`${category} devices:`, ...lines.map(([name, { bus, alias, description }]) => (
      `name "${name}", bus ${bus}${alias === undefined ? '' : `, alias "${alias}"`}${description === undefined ? '' : `, desc "${description}"`}`))].join('\n');
  }).join('\n\n');
}

/** `-device NAME,help`. */
export function listProperties(name: string, { properties }: DeviceModel): string {
  const rows = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
  if (rows.length === 0) return `There are no options for ${name}.`;
  return [`${name} options:`, ...rows.map(([key, { type, typeName = type, text = '', default: value }]) => {
    const left = `  ${key}=<${typeName}>`;
    if (text === '' && value === undefined) return left;
    return `${left.padEnd(TEXT_COLUMN)} - ${text}${value === undefined ? '' : ` (default: ${typeof value === 'string' ? `"${value}"` : value})`}`;
  })].join('\n');
}
