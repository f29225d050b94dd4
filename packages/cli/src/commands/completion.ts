import { Argument, Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '../completion-script.ts';
import { print } from '../output.ts';

export function completionCommand(): Command {
  return new Command('completion')
    .summary('print a completion script for your shell')
    .description('Print a script that completes commands, options and file names.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Try it:                      For good:
  bash  source <(lookalike completion bash)     … in ~/.bashrc
  zsh   source <(lookalike completion zsh)      … in ~/.zshrc, after compinit
  fish  lookalike completion fish | source      … in ~/.config/fish/config.fish`,
    )
    .action(async (shell: Shell, _options: unknown, command: Command) => {
      await print(completionScript(command.parent as Command, shell));
    });
}
