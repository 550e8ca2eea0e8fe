/** The named machines boot as the command line starts them: from TCG86_IMAGES, and downloaded from a server on this machine. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer } from '../cli/image-server.ts';
import type { ImageServer } from '../cli/image-server.ts';
import { findImage, missing, scratchFolder, titled } from './images.ts';

const COMMAND = join(import.meta.dirname, '../../dist/tcg86.js');
const HOST_SECONDS = 120;
const FILES = [
  'linux-0.11/bootimage-0.11-hd', 'linux-0.11/bootimage-0.11-fd', 'linux-0.11/bootimage-0.12-hd', 'linux-0.11/rootimage-0.11', 'linux-0.11/hdc-0.11.img.gz', 'freedos722.img',
];
const lacking = missing(...FILES);

interface Ended { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** Not spawnSync: the server answers from this process. */
function tcg86(args: readonly string[], environment: Record<string, string>): Promise<Ended> {
  const { TCG86_IMAGES: _, TCG86_MIRROR: __, ...rest } = process.env;
  const child = spawn(process.execPath, [COMMAND, ...args, '--timeout', String(HOST_SECONDS)], { env: { ...rest, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said.stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said.stderr += text; });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })));
}

const BOOTS: [name: string, steps: string[]][] = [
  ['linux-0.11-hd', ['--expect', 'Ok\\.\\n\\[/usr/root\\]# $', '--type', 'ls /\\n', '--expect', 'usr[^]*# $']],
  ['linux-0.11', ['--expect', 'press ENTER$', '--type', '\\n', '--expect', '# $', '--type', 'ls\\n', '--expect', 'hello.c[^]*# $']],
  ['linux-0.12-hd', ['--expect', 'SVGA', '--type', ' ', '--expect', '# $', '--type', 'ls /\\n', '--expect', 'usr[^]*# $']],
  ['freedos', ['--expect', 'A:\\\\>$', '--type', 'dir\\n', '--expect', '18 file\\(s\\)[^]*A:\\\\>$']],
];

describe.skipIf(lacking.length > 0)(titled('named machines', lacking), () => {
  let scratch: string, server: ImageServer;
  beforeAll(async () => {
    scratch = scratchFolder();
    server = await startServer((path, response) => {
      const file = findImage(path);
      if (file === null || path === '') return false;
      response.writeHead(200).end(readFileSync(file));
      return true;
    });
  });
  afterAll(async () => {
    await server.close();
    rmSync(scratch, { recursive: true });
  });

  // The other two differ in their files only, and both come from here below.
  it.each([BOOTS[0]!, BOOTS[3]!])('%s boots from TCG86_IMAGES', async (name, steps) => {
    const { code, stderr } = await tcg86([name, ...steps], { TCG86_IMAGES: findImage('.')!, XDG_CACHE_HOME: join(scratch, 'unpacked') });
    expect(stderr).toMatch(/^(tcg86: unpacking .*\.gz\n)?$/);
    expect(code).toBe(0);
  }, HOST_SECONDS * 1000);

  it.each(BOOTS)('%s boots from a download', async (name, steps) => {
    const { code, stderr } = await tcg86([name, ...steps], { TCG86_MIRROR: server.address, XDG_CACHE_HOME: join(scratch, 'downloaded') });
    expect(stderr).toMatch(/^(tcg86: downloading .*\n)*$/);
    expect(code).toBe(0);
  }, HOST_SECONDS * 1000);

  it('without a network there is one line', async () => {
    const { code, stdout, stderr } = await tcg86(['freedos'], { TCG86_MIRROR: 'http://127.0.0.1:1', XDG_CACHE_HOME: join(scratch, 'empty') });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^tcg86: downloading freedos722\.img from 127\.0\.0\.1:1\n(tcg86: downloading .*\n)*tcg86: freedos722\.img: .*cannot reach.*TCG86_IMAGES\n$/);
    expect(existsSync(join(scratch, 'empty'))).toBe(false);
  }, HOST_SECONDS * 1000);

  const tiny = join(tmpdir(), `tcg86-tiny-${process.pid}`);
  mkdirSync(tiny);
  const mounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', tiny]).status === 0;
  afterAll(() => {
    if (mounted) spawnSync('umount', [tiny]);
    rmSync(tiny, { recursive: true });
  });
  it.skipIf(!mounted)(mounted ? 'on a full disk there is one line, and no half file' : 'on a full disk there is one line (needs root, to mount a small disk)', async () => {
    const { code, stderr } = await tcg86(['linux-0.11-hd'], { TCG86_IMAGES: findImage('.')!, XDG_CACHE_HOME: tiny });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tcg86: unpacking .*\ntcg86: cannot keep hdc-0\.11\.img \(127\.6 MB\) in .*: no space left on device\..*\n$/);
    expect(readdirSync(join(tiny, 'tcg86'))).toEqual([]);
  }, HOST_SECONDS * 1000);
});
