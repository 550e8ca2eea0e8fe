/** -device and -M: the table, what it refuses, and the help that is made of it. */
import { describe, expect, it } from 'vitest';
import { CATEGORIES, listDevices, listProperties } from '../../src/cli/device-model.ts';
import { DEVICES } from '../../src/cli/devices.ts';
import { Information } from '../../src/cli/errors.ts';
import { parseArguments } from '../../src/cli/options.ts';

function help(...args: string[]): string {
  try {
    parseArguments(args);
  } catch (error) {
    if (error instanceof Information) return error.text;
    throw error;
  }
  throw new Error('no help');
}

describe('-device', () => {
  it('help has a group for each category and a line for each model', () => {
    const text = help('-device', 'help');
    expect(text).toBe(listDevices(DEVICES));
    for (const category of CATEGORIES) expect(text).toContain(`${category} devices:\nname "`);
    expect(text).toContain('Storage devices:\nname "floppy", bus floppy-bus, desc "virtual floppy drive"\n');
    expect(text).toContain('name "virtio-net-pci", bus PCI, alias "virtio-net"\n');
  });

  it('NAME,help lists the properties', () => {
    expect(help('-device', 'isa-debug-exit,help')).toBe('isa-debug-exit options:\n  iobase=<uint32>        -  (default: 1281)\n  iosize=<uint32>        -  (default: 2)');
    expect(help('-device', 'pc-testdev,help')).toBe('There are no options for pc-testdev.');
    expect(help('-device', 'virtio-net,?')).toContain('virtio-net-pci options:\n  bootindex=<int32>      - place in the order of booting, the least first; negative: none\n  mac=<str>              - Ethernet');
  });

  it.each(Object.entries(DEVICES))('%s: every property is checked by its type, others are refused', (name, model) => {
    const parse = (text: string): unknown => parseArguments(['-device', `${name},${text}`]);
    expect(listProperties(name, model).split('\n').length).toBe(Math.max(1, Object.keys(model.properties).length + Math.sign(Object.keys(model.properties).length)));
    expect(() => parse('no-such=1')).toThrow(`-device ${name}: Property '${name}.no-such' not found`);
    for (const [key, { type, choices, max = Infinity, min = type === 'int32' ? -(2 ** 31) : 0 }] of Object.entries(model.properties)) {
      if (type === 'bool') expect(() => parse(`${key}=perhaps`)).toThrow(`'${key}' expects 'on' or 'off'`);
      else if (type !== 'str') {
        expect(() => parse(`${key}=x`)).toThrow(`${key}: 'x' is not a number`);
        expect(() => parse(`${key}=${Math.min(max, 2 ** 32 - 1) + 1}`)).toThrow(`is not between ${min} and`);
      } else if (choices !== undefined) expect(() => parse(`${key}=perhaps`)).toThrow(`'${key}' expects`);
    }
  });

  it.each([
    ["-device nothing: 'nothing' is not a valid device model name", ['-device', 'nothing']],
    ["-device toString: 'toString' is not a valid device model name", ['-device', 'toString']],
    ["Duplicate device ID 'a'", ['-device', 'virtio-rng-pci,id=a', '-device', 'pc-testdev,id=a']],
    ["No 'PCI' bus found for device 'e1000'", ['-device', 'e1000', '-M', 'isapc']],
  ])('says: %s', (message, args) => {
    expect(() => parseArguments(args)).toThrow(message);
  });
});

describe('-M', () => {
  it('help', () => {
    expect(help('-M', 'help')).toBe(help('-machine', 'help'));
    expect(help('-M', 'help')).toBe('Supported machines are:\npc                   i440FX + PIIX3 PC (default)\nisapc                ISA-only PC');
    expect(help('-M', 'pc,help')).toContain('pc-machine options:\n  accel=<string>         - ');
  });

  it.each([
    ["unsupported machine type 'q35'", 'q35'], ["Property 'pc-machine.colour' not found", 'pc,colour=red'], ["invalid accelerator 'x'", 'pc,accel=x'],
  ])('says: %s', (message, value) => {
    expect(() => parseArguments(['-M', value])).toThrow(message);
  });
});
