import { resolve } from 'node:path'
import { Command } from 'commander'
import { ensureBuilt } from '../built.ts'
import { env } from '../env.ts'
import { plainText } from '../plain-text.ts'

export const bundleVerb = () =>
  new Command('bundle')
    .description(
      'write what a repository needs to be deployed: .origami, Dockerfile and the runtime; then run its first example',
    )
    .argument('[folder]', 'where model.py or model.ts is', '.')
    .option('--force', 'overwrite files that were changed by hand')
    .option('--python <program>', 'Python that runs the model', env.python)
    .option('--json', 'print JSON: {folder, bytes, kept, commands}')
    .action(async (folder: string, flags: { force?: boolean; python: string; json?: boolean }) => {
      await ensureBuilt()
      const { bundle: write } = await import('origami-lib/bundler')
      const interrupted = new AbortController()
      process.once('SIGINT', () => interrupted.abort())
      const result = await write(
        {
          folder: resolve(folder),
          force: flags.force ?? false,
          python: flags.python,
          onLog: (line: string) => console.error(plainText(line)),
        },
        interrupted.signal,
      )
      if (flags.json) return console.log(JSON.stringify({ folder: resolve(folder), ...result }))
      console.error(`the bundle is ${(result.bytes / 1024 ** 2).toFixed(2)} MB; commit it and push`)
      console.log(result.commands.join('\n'))
    })
