import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/options.ts';
import { Machine } from '../../src/index.ts';

describe('-vga and -device VGA', () => {
  it('choose the adapter, its memory and its ROM', () => {
    expect(parseArguments([])).toMatchObject({ vga: null, vgaDevice: null });
    expect(parseArguments(['-vga', 'none']).vga).toBe('none');
    expect(parseArguments(['-device', 'VGA,vgamem_mb=5,romfile=a.bin']).vgaDevice).toEqual({ rom: 'a.bin', memory: 8 });
  });

  it.each([
    [['-vga', 'cirrus'], /unknown vga type \(std, none\)/],
    [['-device', 'VGA,vgamem_mb=0'], /vgamem_mb/],
    [['-device', 'VGA,vgamem_mb=257'], /vgamem_mb/],
    [['-device', 'VGA', '-device', 'VGA'], /one VGA adapter/],
  ])('%j: a clear error', (args, message) => {
    expect(() => parseArguments(args)).toThrow(message);
  });
});

describe('a machine without a VGA', () => {
  it('has no screen, and says so', () => {
    const machine = Machine.open({ vga: 'none', memory: 1 });
    expect(machine.screen()).toBe('');
    expect(() => machine.screenshot()).toThrow('the machine has no display adapter');
    machine.close();
  });

  it('takes sizes of video memory that there are', () => {
    expect(() => Machine.open({ vgaMemory: 3 })).toThrow(/power of two/);
    const machine = Machine.open({ vgaMemory: 1, memory: 1 });
    expect(machine.board.memory.videoMemory.length).toBe(1 << 20);
    machine.close();
  });
});
