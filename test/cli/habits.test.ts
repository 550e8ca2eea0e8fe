/** Options of QEMU's that are there for what command lines say by habit. */
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/options.ts';

describe('one processor, no monitor', () => {
  it.each([['-smp', '1'], ['-smp', 'cpus=1,sockets=1,cores=1,threads=1'], ['-monitor', 'none'], ['-monitor', 'null']])('%s %s is taken', (...args) => {
    expect(parseArguments(args)).toMatchObject(parseArguments([]));
  });

  it.each([
    [['-smp', '2'], /the PC has one processor/], [['-smp', '1,cores=4'], /the PC has one processor/], [['-smp', 'many'], /'many' is not a number/],
    [['-smp', '1,nodes=2'], /invalid parameter 'nodes'/], [['-monitor', 'stdio'], /there is no monitor; steps do its work/],
  ])('%j is refused in one line', (args, message) => {
    expect(() => parseArguments(args)).toThrow(message);
  });
});
