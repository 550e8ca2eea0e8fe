/** Serial ports as POST leaves them. */
import { expect, it } from 'vitest';
import { startGuest } from './guest.ts';

it('a driver that only enables an interrupt gets it', async () => {
  const { machine, close } = startGuest(`
        cli
        mov ax, 0
        mov es, ax
        mov word [es:4 * 0x0c], handler
        mov [es:4 * 0x0c + 2], cs
        in al, 0x21
        and al, 0xef
        out 0x21, al
        mov dx, 0x3f9
        mov al, 2
        out dx, al
        sti
        mov cx, 1000
wait_for_it:
        in al, dx
        loop wait_for_it
        mov al, 'n'
        call say
        out 0xf4, al
handler:
        mov al, 'y'
        call say
        out 0xf4, al
`, { debugExit: { iobase: 0xf4, iosize: 1 } });
  await machine.run();
  expect(machine.transcript.text).toMatch(/y$/);
  close();
});
