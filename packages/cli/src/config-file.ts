import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LookalikeError } from '@lookalike/store';
import type { Command, Option } from 'commander';
import { configFolder } from './user-folders.ts';

export const configFile = () => join(configFolder(), 'config.json');

/** What may stand in the environment and in the config file: every option that has a variable. */
export function settingsOf(program: Command): { command: Command; option: Option; variable: string }[] {
  return program.commands.flatMap((command) =>
    command.options.flatMap((option) =>
      option.envVar === undefined ? [] : [{ command, option, variable: option.envVar }],
    ),
  );
}

/** As shells and CI set what they have no value for: a variable that is empty counts as not set. */
export function ignoreEmptyVariables(program: Command): void {
  for (const { variable } of settingsOf(program))
    if (process.env[variable] === '') delete process.env[variable];
}

/**
 * Takes settings from the config file, where there is one: `{"url": "http://…", "collection": "photos"}`, by the names of
 * the options. An option given on the command line or in the environment wins.
 * @throws LookalikeError `invalid-config` naming the file and what is wrong in it.
 */
export function applyConfigFile(program: Command, file = configFile()): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const settings = settingsOf(program);
  for (const [name, value] of Object.entries(parsed(text, file))) {
    const named = settings.filter(({ option }) => option.attributeName() === name);
    if (named.length === 0) {
      const known = [...new Set(settings.map(({ option }) => option.attributeName()))].sort();
      throw new LookalikeError(
        'invalid-config',
        `${file}: no setting is called "${name}"; there are ${known.join(', ')}`,
      );
    }
    for (const { command, option } of named) {
      try {
        const checked = option.parseArg ? option.parseArg(String(value), undefined) : String(value);
        command.setOptionValueWithSource(name, checked, 'config');
      } catch (error) {
        throw new LookalikeError('invalid-config', `${file}: ${name}: ${(error as Error).message}`);
      }
    }
  }
}

function parsed(text: string, file: string): Record<string, string | number> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new LookalikeError('invalid-config', `${file}: ${(error as Error).message}`);
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || Object.values(value as object).some((one) => !['string', 'number'].includes(typeof one)))
    throw new LookalikeError('invalid-config', `${file}: expected a JSON object of strings and numbers`);
  return value as Record<string, string | number>;
}
