/** -audiodev and what plays to it. */
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/options.ts';

describe('sound on the command line', () => {
  it('the speaker plays to an audiodev, given before or after', () => {
    const { speaker, audiodevs } = parseArguments(['-M', 'pc,pcspk-audiodev=a,vmport=off', '-audiodev', 'wav,id=a,path=x.wav,out.frequency=22050', '-audiodev', 'none,id=b']);
    expect([speaker, audiodevs]).toMatchObject(['a', [{ id: 'a', path: 'x.wav', rate: 22_050 }, { id: 'b', path: null }]]);
  });

  it.each([
    ["audiodev 'z' not found", ['-machine', 'pcspk-audiodev=z']], ["'alsa' is no audio driver here", ['-audiodev', 'alsa,id=a']], ['id=ID is missing', ['-audiodev', 'wav']],
    ["Duplicate ID 'a'", ['-audiodev', 'none,id=a', '-audiodev', 'none,id=a']], ["invalid parameter 'path'", ['-audiodev', 'none,id=a,path=x']], ['is not between 8000', ['-audiodev', 'wav,id=a,out.frequency=1']],
  ])('says: %s', (message, args) => {
    expect(() => parseArguments(args)).toThrow(message);
  });
});
