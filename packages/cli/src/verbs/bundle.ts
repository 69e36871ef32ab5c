import { resolve } from 'node:path'
import { Command } from 'commander'

export const bundle = () =>
  new Command('bundle')
    .description('write what a repository needs to be deployed: .origami, Dockerfile and the runtime; then run its first example')
    .argument('[folder]', 'where model.py or model.ts is', '.')
    .option('--force', 'overwrite files that were changed by hand')
    .action(async (folder: string, given: { force?: boolean }) => {
      const { bundle: write } = await import('origami-lib/bundler')
      const interrupted = new AbortController()
      process.once('SIGINT', () => interrupted.abort())
      const result = await write(
        { folder: resolve(folder), force: given.force ?? false, onLog: (line: string) => console.error(line) },
        interrupted.signal,
      )
      console.log(result.commands.join('\n'))
    })
