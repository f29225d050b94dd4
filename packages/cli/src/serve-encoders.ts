import { lazyEncoders } from '@lookalike/api';
import { type Encoder, listModels, openEncoder, resolveModel } from '@lookalike/encoder';

/** The installed models and the one named, which is the default; they are opened when first used. */
export async function serveEncoders(nameOrFolder: string | undefined) {
  const directory = await resolveModel(nameOrFolder);
  const chosen: Encoder = await openEncoder(directory);
  const installed = await listModels();
  const directories = new Map(installed.map(({ model, directory }) => [model.name, directory]));
  directories.set(chosen.model.name, directory);
  const encoders = lazyEncoders({
    default: chosen.model.name,
    names: [...directories.keys()],
    open: async (name) =>
      name === chosen.model.name ? chosen : openEncoder(directories.get(name) as string),
  });
  // A model that does not open is found out now and not by the first request.
  await encoders.get(chosen.model.name);
  return { encoders, model: chosen.model };
}
