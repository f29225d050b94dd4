import type { Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Entry {
  name: string;
  summary: string;
  options: { flags: string[]; summary: string; takesValue: boolean }[];
  /** Words its argument may be; none: files. */
  choices: readonly string[];
}

/** A script that completes commands, options and file names: all there is, read off the program itself. */
export function completionScript(program: Command, shell: Shell): string {
  const entries = program.commands.map(
    (command): Entry => ({
      name: command.name(),
      summary: command.summary() || command.description(),
      options: command.createHelp().visibleOptions(command).map(optionEntry),
      choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    }),
  );
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](entries);
}

function optionEntry(option: Option): Entry['options'][number] {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    summary: option.description,
    takesValue: option.required || option.optional,
  };
}

function bashScript(entries: readonly Entry[]): string {
  const words = (entry: Entry) =>
    [...entry.options.flatMap(({ flags }) => flags), ...entry.choices].join(' ');
  return `# lookalike: completion for bash. Try it: source <(lookalike completion bash)
_lookalike() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${entries.map(({ name }) => name).join(' ')} --help --version"
  else
    case "\${COMP_WORDS[1]}" in
${entries.map((entry) => `      ${entry.name}) words="${words(entry)}" ;;`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ "$COMP_CWORD" -gt 1 ] && [[ "$current" != -* ]]; then
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _lookalike lookalike
`;
}

function zshScript(entries: readonly Entry[]): string {
  const quoted = (text: string) => text.replaceAll("'", "'\\''");
  const bracketed = (text: string) => quoted(text).replace(/[[\]:\\]/g, '\\$&');
  const options = ({ options, choices }: Entry) => [
    ...options.flatMap(({ flags, summary, takesValue }) =>
      flags.map((flag) => `'${flag}[${bracketed(summary)}]${takesValue ? ':value:_files' : ''}'`),
    ),
    choices.length > 0 ? `'*:word:(${choices.join(' ')})'` : "'*:file:_files'",
  ];
  return `#compdef lookalike
# lookalike: completion for zsh. Try it: source <(lookalike completion zsh)
_lookalike() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${entries.map(({ name, summary }) => `      '${name}:${quoted(summary)}'`).join('\n')}
    )
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
${entries.map((entry) => `    ${entry.name}) _arguments ${options(entry).join(' ')} ;;`).join('\n')}
  esac
}
compdef _lookalike lookalike
`;
}

function fishScript(entries: readonly Entry[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const line = (entry: Entry, { flags, summary, takesValue }: Entry['options'][number]) => {
    const names = flags.map((flag) =>
      flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
    );
    return `complete -c lookalike -n '__fish_seen_subcommand_from ${entry.name}' ${names.join(' ')}${takesValue ? ' -r' : ''} -d ${quoted(summary)}`;
  };
  return `# lookalike: completion for fish. Try it: lookalike completion fish | source
${entries.map(({ name, summary }) => `complete -c lookalike -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`).join('\n')}
${entries
  .flatMap((entry) => [
    ...entry.options.map((option) => line(entry, option)),
    ...entry.choices.map(
      (choice) =>
        `complete -c lookalike -n '__fish_seen_subcommand_from ${entry.name}' -f -a ${quoted(choice)}`,
    ),
  ])
  .join('\n')}
`;
}
