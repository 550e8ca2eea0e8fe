/** Guests from Debian packages that boot in seconds; `npm run guests` boots the others too. */
import { describe, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import { PACKAGED_GUESTS, findFiles } from '../guests/guests.ts';

const HOST_SECONDS = 120;

describe('guests from packages', () => {
  for (const guest of PACKAGED_GUESTS.filter(({ slow }) => !slow)) {
    const paths = findFiles(guest);
    it.skipIf(paths === null)(paths === null ? `${guest.name} (no package ${guest.package}: see TCG86_PACKAGES)` : guest.name, async () => {
      const machine = Machine.open({ ...await guest.options(...paths!), timeout: HOST_SECONDS });
      try {
        await guest.shows(machine);
      } finally {
        machine.close();
      }
    }, HOST_SECONDS * 1000);
  }
});
