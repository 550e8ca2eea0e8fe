/** What POST leaves in memory. */
import { expect, it } from 'vitest';
import { startGuest } from './guest.ts';

/** Turns ACPI on, and the machine off. */
const SWITCH_OFF = `
        mov al, 0xf1
        out 0xb2, al
        mov dx, 0x604
        mov ax, 0x2000
        out dx, ax
        hlt
`;

it('the buffer through which the BIOS goes to shadow RAM is empty again', async () => {
  const { machine, close } = startGuest(SWITCH_OFF);
  await machine.run();
  const memory = new Uint8Array(0x10000);
  machine.board.space.readBytes(0x10000, memory);
  close();
  expect(memory.findIndex((byte) => byte !== 0)).toBe(-1);
});
