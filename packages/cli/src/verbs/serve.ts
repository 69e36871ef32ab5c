import { resolve } from 'node:path'
import { Command } from 'commander'
import { ensureBuilt } from '../built.ts'
import { env } from '../env.ts'
import { Failure } from '../failure.ts'
import { orPortTaken } from '../port-taken.ts'

interface Flags {
  readonly port: string
  readonly host: string
  readonly python: string
  readonly allowedHost?: readonly string[]
  readonly json?: boolean
}

export const serveVerb = () =>
  new Command('serve')
    .description('a page and an API for a model on this machine; starts anew when its file changes')
    .argument('<model>', 'model.py or model.ts')
    .option('--port <port>', 'where to listen (browsers refuse 6000)', '6060')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--python <program>', 'Python that runs the model', env.python)
    .option('--allowed-host <name...>', 'names under which browsers call it, besides addresses and localhost')
    .option('--json', 'print JSON: {model, url}')
    .action(async (model: string, flags: Flags) => {
      const port = Number(flags.port)
      if (flags.port.trim() === '' || !Number.isInteger(port) || port < 0 || port > 65_535)
        throw new Failure(`--port: expected 0 to 65535, got ${flags.port}`)
      await ensureBuilt()
      const { serveModel } = await import('origami-lib/runtime')
      await using running = await orPortTaken(
        '--port',
        serveModel({ ...flags, model: resolve(model), port, allowedHosts: flags.allowedHost ?? [] }),
      )
      console.log(
        flags.json ? JSON.stringify({ model: resolve(model), url: running.url }) : `${model} is at ${running.url}`,
      )
      await new Promise((done) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, done)
      })
    })
