import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelDescription, openEncoder } from '@lookalike/encoder';
import { type Describer, embedFiles, unit } from './describers.ts';
import { tapAverage } from './onnx-tap.ts';

/** The last feature maps of EfficientNet-Lite0 and their number. */
const LAYER = '/backbone/head/head.1/Clip_output_0';
const CHANNELS = 1280;

/**
 * The untrained backbone as it ships, and from the same pass the global average of its last feature maps: what
 * imagededup's CNN is (ImageNet features, averaged, cosine), with another ImageNet network.
 */
export async function backboneDescriber(
  modelDirectory: string,
  cache: string,
  threads: number,
): Promise<Describer> {
  const model: ModelDescription = JSON.parse(readFileSync(join(modelDirectory, 'model.json'), 'utf8'));
  const own = model.output.dimension;
  const dimension = own + CHANNELS;
  const tap = { layer: LAYER, embedding: model.output.name, output: 'embedding_and_average', dimension };
  const tapped = tapAverage(readFileSync(join(modelDirectory, model.file)), tap);
  const directory = join(cache, `tapped-${model.name}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, model.file), tapped);
  const description: ModelDescription = {
    ...model,
    sha256: createHash('sha256').update(tapped).digest('hex'),
    bytes: tapped.length,
    output: { name: tap.output, dimension },
  };
  writeFileSync(join(directory, 'model.json'), JSON.stringify(description));
  const encoder = await openEncoder(directory, { threads });
  return {
    methods: [
      { name: model.name, note: 'the untrained backbone: GeM pooling, PCA whitening' },
      {
        name: 'ImageNet CNN average',
        note: 'stands in for imagededup’s CNN, whose weights cannot be had offline: EfficientNet-Lite0, global average, 1280 dimensions',
      },
    ],
    key: encoder.hash,
    async describe(files) {
      const both = await embedFiles(encoder, files);
      return [
        both.map((vector) => unit(vector.slice(0, own))),
        both.map((vector) => unit(vector.slice(own))),
      ];
    },
    close: () => encoder.close(),
  };
}
