import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LookalikeError } from '@lookalike/store';
import type { ModelDescription } from './model.ts';
import { readModelDescription } from './model-description.ts';

/** Used where nobody names a model. */
export const DEFAULT_MODEL = 'near-duplicate';

/** Beside a bundle first, then the repository's own. */
const MODEL_FOLDERS = ['./models', '../../../models'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

export interface InstalledModel {
  model: ModelDescription;
  directory: string;
  isDefault: boolean;
}

/** The folder that models are named in. */
export function modelsFolder(): string {
  const folder = MODEL_FOLDERS.find((candidate) => existsSync(candidate));
  if (!folder) {
    throw new LookalikeError(
      'unknown-model',
      `no folder of models: looked in ${MODEL_FOLDERS.join(' and ')}`,
    );
  }
  return folder;
}

/**
 * The directory of a model. A path (absolute, or with a separator, or starting with ".") is taken as it is, relative to
 * the working directory; anything else is the name of a folder in `folder`.
 * @throws `LookalikeError('unknown-model')` naming the models there are.
 */
export async function resolveModel(nameOrPath = DEFAULT_MODEL, folder = modelsFolder()): Promise<string> {
  const isPath = isAbsolute(nameOrPath) || /[/\\]/.test(nameOrPath) || nameOrPath.startsWith('.');
  const directory = isPath ? resolve(nameOrPath) : join(folder, nameOrPath);
  if (nameOrPath !== '' && existsSync(join(directory, 'model.json'))) return directory;
  const known = (await modelNames(folder)).join(', ') || 'none';
  throw new LookalikeError(
    'unknown-model',
    isPath
      ? `no model in ${directory}: expected a model.json there`
      : `no model "${nameOrPath}" in ${folder}; there: ${known}. For a model elsewhere give its path, such as ./my-model`,
  );
}

/** Every model of the folder, by name. A model.json that is not valid throws, as opening it would. */
export async function listModels(folder = modelsFolder()): Promise<InstalledModel[]> {
  const names = await modelNames(folder);
  return Promise.all(
    names.map(async (name) => {
      const directory = join(folder, name);
      return { model: await readModelDescription(directory), directory, isDefault: name === DEFAULT_MODEL };
    }),
  );
}

async function modelNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => existsSync(join(folder, entry.name, 'model.json')))
    .map((entry) => entry.name)
    .sort();
}
