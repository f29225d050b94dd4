import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveModel } from '@lookalike/encoder';

export const researchData =
  process.env.LOOKALIKE_DATA ?? join(import.meta.dirname, '../../../../shared/data');

/** Where the embeddings stand or will; undefined where there is no data to make them of. */
export async function embeddingsFile(): Promise<string | undefined> {
  if (!existsSync(join(researchData, 'photos'))) return undefined;
  const model = JSON.parse(readFileSync(join(await resolveModel(), 'model.json'), 'utf8')) as {
    name: string;
    sha256: string;
  };
  return join(tmpdir(), 'lookalike-bench-index', `${model.name}-${model.sha256.slice(0, 12)}.npy`);
}
