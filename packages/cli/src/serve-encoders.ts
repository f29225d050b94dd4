import { lazyEncoders } from '@lookalike/api';
import { describeModel, listModels, openEncoder, resolveModel } from '@lookalike/encoder';

/** The installed models and the one named, which is the default. Each is opened when it is first used. */
export async function serveEncoders(nameOrFolder: string | undefined) {
  const directory = await resolveModel(nameOrFolder);
  const { model } = await describeModel(directory);
  const installed = await listModels();
  const directories = new Map(installed.map(({ model, directory }) => [model.name, directory]));
  directories.set(model.name, directory);
  const folderOf = (name: string) => directories.get(name) as string;
  const encoders = lazyEncoders({
    default: model.name,
    names: [...directories.keys()],
    open: (name) => openEncoder(folderOf(name)),
    describe: (name) => describeModel(folderOf(name)),
  });
  return { encoders, model };
}

/** Opens a model once, so that one that does not open is found out now and not by the first picture. */
export async function tryModel(nameOrFolder: string): Promise<void> {
  const encoder = await openEncoder(await resolveModel(nameOrFolder));
  await encoder.close();
}
