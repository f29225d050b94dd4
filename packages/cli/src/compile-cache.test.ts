import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand, temporaryFolder } from './test-command.ts';

test('compiled code is kept in the cache folder of the user, or where the environment says', async () => {
  const { env, remove } = await temporaryFolder();
  const filesIn = (folder: string) =>
    existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  const code = join(env.LOOKALIKE_CACHE_DIR, 'code');
  const other = join(env.LOOKALIKE_CACHE_DIR, 'other');
  expect((await runCommand(['models'], { env: { ...env, NODE_COMPILE_CACHE: other } })).status).toBe(0);
  expect(filesIn(code)).toEqual([]);
  expect(filesIn(other).some((entry) => entry.isFile())).toBe(true);
  expect((await runCommand(['models'], { env })).status).toBe(0);
  expect(filesIn(code).some((entry) => entry.isFile())).toBe(true);
  await remove();
});
