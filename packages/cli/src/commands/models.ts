import { Command } from 'commander';
import { byteSize } from '../byte-size.ts';
import { jsonOption } from '../option-values.ts';
import { print } from '../output.ts';

export function modelsCommand(): Command {
  return new Command('models')
    .summary('list the models there are')
    .description('List the models there are, with what each was calibrated to.')
    .addOption(jsonOption())
    .action(async (options: { json?: true }) => {
      // Loaded when asked for: `--help` needs none of it.
      const { listModels } = await import('@lookalike/encoder');
      const models = await listModels();
      if (options.json) {
        const listed = models.map(({ model, directory, isDefault }) => ({ ...model, directory, isDefault }));
        await print(`${JSON.stringify({ models: listed })}\n`);
        return;
      }
      for (const { model, isDefault } of models) {
        const { width, height } = model.input;
        await print(
          `${model.name}${isDefault ? ' (default)' : ''}\n  ${model.description}\n` +
            `  ${width} x ${height} pixels -> ${model.output.dimension} numbers, ${model.metric}; ` +
            `${byteSize(model.bytes)}; ${model.license}\n`,
        );
        for (const { similarity, falsePositiveRate, recall } of model.thresholds)
          await print(
            `  similarity ${similarity}: false positives ${falsePositiveRate}` +
              `${recall === undefined ? '' : `, recall ${recall}`}` +
              `${similarity === model.defaultThreshold ? ' (default)' : ''}\n`,
          );
      }
    });
}
