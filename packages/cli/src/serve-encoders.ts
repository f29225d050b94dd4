import { lazyEncoders } from '@lookalike/api';
import { listModels, openEncoder, readModelDescription, resolveModel } from '@lookalike/encoder';

/** The installed models and the one named, which is the default. Each is opened when it is first used. */
export async function serveEncoders(nameOrFolder: string | undefined) {
  const directory = await resolveModel(nameOrFolder);
  const model = await readModelDescription(directory);
  const installed = await listModels();
  const directories = new Map(installed.map(({ model, directory }) => [model.name, directory]));
  directories.set(model.name, directory);
  const encoders = lazyEncoders({
    default: model.name,
    names: [...directories.keys()],
    open: async (name) => openEncoder(directories.get(name) as string),
  });
  return { encoders, model };
}
