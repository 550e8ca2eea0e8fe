/** `-accel tcg,lockstep=on` on the command line: says nothing while the tiers agree, and everything when they differ. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const run = (node: string[], ...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [...node, join(root, 'dist/tcg86.js'), ...args], { cwd: root, encoding: 'utf8', input: '', timeout: 100_000 });

describe('lockstep=on', () => {
  it('runs the demo to its end', () => {
    const { status, stdout, stderr } = run([], '-accel', 'tcg,lockstep=on,jit-threshold=0');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('Done.');
  }, 120_000);

  it('stops at the first difference with both states, the guest code, the ops and the JavaScript', () => {
    const { status, stderr } = run(['--import', join(import.meta.dirname, 'break-regions.mjs')], '-accel', 'tcg,lockstep=on,jit-threshold=0');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^tcg86: lockstep: tb_[0-9a-f]{8} \(region \d+\) differs from the op interpreter after \d+ instructions:\n    EAX: region [0-9a-f]{8}, interpreter [0-9a-f]{8}\n/);
    const parts = ['State before:\nEAX=', 'State after the region:\nEAX=', 'State after the interpreter:\nEAX=', 'IN: \n0x', 'OP after optimization', 'OUT:\nreturn (function tb_'];
    const places = parts.map((part) => stderr.indexOf(part));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr.match(/differs from/g)).toHaveLength(1);
  }, 120_000);
});
