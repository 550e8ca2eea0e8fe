/** .xz and tar, packed by xz and tar themselves: a small archive that is kept here, and where xz is installed random data. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fileInTar } from '../../src/backends/tar.ts';
import { unpackXz } from '../../src/backends/xz.ts';

/** tar of x/hello.txt ("Hello, hello, …" 40 times), packed with xz. */
const ARCHIVE = Buffer.from('/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/AI5dADwLvBunjDRE4cIHdekACY2x9Z5lX4AQKiJGPFbAEAYwmUYoJ6ZyoCc+/hUUtaa1X5DZP/mkOV+66mhZtSwMlbCf1l2Z10QvJiQxAHSgnk2nrOdWbQ/0t4WdXG5toU+99eX88VCjPcLW7cGDHBX9Jw3wReFhP8z3SSRP14EsTYJiCXbEFsNVLalFOnu8pwAAAAB2PyXP93zP1QABqgGAUAAAbldXx7HEZ/sCAAAAAARZWg==', 'base64');
const LIMIT = 1 << 20;
const HELLO = 'Hello, hello, '.repeat(40);

describe('xz', () => {
  it('unpacks what xz packed', () => {
    const tar = unpackXz(ARCHIVE, LIMIT);
    expect(tar.length % 512).toBe(0);
    expect(Buffer.from(fileInTar(tar, 'hello.txt')).toString()).toBe(HELLO);
    expect(() => fileInTar(tar, 'other.txt')).toThrow('no other.txt in the tar archive');
    expect(() => fileInTar(tar.subarray(0, 700), 'hello.txt')).toThrow('no hello.txt');
    expect(() => fileInTar(tar.subarray(0, 1500), 'hello.txt')).toThrow('cut off');
  });

  it('refuses what is larger than expected, cut, damaged or something else', () => {
    expect(() => unpackXz(ARCHIVE, 1000)).toThrow('more than 1000');
    expect(() => unpackXz(ARCHIVE.subarray(0, ARCHIVE.length - 20), LIMIT)).toThrow('cut off');
    expect(() => unpackXz(Buffer.from('PK, something else altogether'), LIMIT)).toThrow('not an xz file');
    expect(() => unpackXz(ARCHIVE.subarray(0, 20), LIMIT)).toThrow('cut off');
    // Whatever byte is changed: an error in one line, or other data, and it ends.
    for (let at = 6; at < ARCHIVE.length; at++) {
      const damaged = Uint8Array.from(ARCHIVE);
      damaged[at]! ^= 1 << at % 8;
      try {
        expect(unpackXz(damaged, LIMIT).length).toBeLessThanOrEqual(LIMIT);
      } catch (error) {
        expect((error as Error).message).not.toContain('\n');
        expect((error as Error).name).toMatch(/^(Error|LzmaError)$/);
      }
    }
  });

  const hasXz = spawnSync('xz', ['--version']).status === 0;
  it.skipIf(!hasXz).each([['-0'], ['-6'], ['-9e'], ['--lzma2=lc=1,lp=3,pb=0'], ['--block-size=70000'], ['--check=sha256'], ['--check=none']])('unpacks xz %s', (option) => {
    // Text, noise, runs: all kinds of chunks and matches.
    let state = 1;
    const next = (): number => (state = Math.imul(state, 1103515245) + 12345 >>> 0) >>> 16;
    const parts = Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? Buffer.from(`line ${index} of some text\n`.repeat(50))
      : index % 3 === 1 ? Buffer.from(Uint8Array.from({ length: 3000 }, next)) : Buffer.alloc(9000, index)));
    const data = Buffer.concat([...parts, ...parts.slice(10, 30)]);
    const { stdout } = spawnSync('xz', [option, '-c'], { input: data, maxBuffer: LIMIT * 4 });
    const sum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    expect(sum(unpackXz(stdout, LIMIT))).toBe(sum(data));
  });
});
