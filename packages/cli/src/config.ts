import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { DaemonConfig } from '@origami/daemon'
import { type Forge, forgeSchema, github } from '@origami/protocol/control'
import type { WebConfig } from '@origami/web'
import { Option } from 'commander'
import { env } from './env.ts'
import { Failure } from './failure.ts'

/** What the flags of `up`, `daemon` and `web` come to. */
export interface ServerFlags {
  readonly data: string
  readonly host: string
  readonly port: number
  readonly daemonPort: number
  readonly engine: 'docker' | 'process'
  readonly publicUrl?: string
  readonly forges?: string
  readonly deployer: readonly string[]
  readonly privateNetwork?: readonly string[]
  readonly trustDemos?: boolean
}

const number = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new Failure(`expected a port from 0 to 65535, got ${text}`)
  return value
}

export const flags = {
  data: () =>
    new Option('--data <folder>', 'where state lives')
      .default(join(env.home ?? homedir(), '.origami'))
      .argParser((text) => resolve(text)),
  host: () => new Option('--host <address>', 'address the web server listens on').default('127.0.0.1'),
  port: () => new Option('--port <port>', 'port of the web server').default(8000).argParser(number),
  daemonPort: () => new Option('--daemon-port <port>', 'port of the daemon, on loopback').default(6001).argParser(number),
  engine: () => new Option('--engine <engine>', 'where demos run').choices(['docker', 'process']).default('docker'),
  publicUrl: () => new Option('--public-url <url>', 'address people use, when another server stands in front'),
  forges: () => new Option('--forges <file>', 'JSON list of forges that repositories may come from (default: github.com)'),
  deployer: () =>
    new Option('--deployer <handle>', 'account that may deploy, besides the owner; may be given again')
      .default([])
      .argParser((handle, before: readonly string[]) => [...before, handle]),
  privateNetwork: () =>
    new Option('--private-network <cidr>', 'where demos that run elsewhere may be, besides public addresses; may be given again')
      .default([])
      .argParser((network, before: readonly string[]) => {
        if (!/^[0-9a-f.:]+\/\d{1,3}$/i.test(network)) throw new Failure(`expected a network such as 10.0.0.0/8, got ${network}`)
        return [...before, network]
      }),
  trustDemos: () => new Option('--trust-demos', 'let the process engine, which isolates nothing, run on a public address'),
}

/** Reads the table of forges. Throws Failure with what is wrong in it. */
export async function readForges(file: string | undefined): Promise<readonly Forge[]> {
  if (file === undefined) return [github]
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure(`--forges: cannot read ${file}: ${cause instanceof Error ? cause.message : cause}`)
  })
  const parsed = forgeSchema.array().min(1).safeParse(parseJson(text, file))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Failure(`--forges: ${file}: ${issue?.path.join('.')}: ${issue?.message}`)
}

export function daemonConfig(given: ServerFlags, forges: readonly Forge[]): DaemonConfig {
  const data = absolute(join(given.data, 'daemon'))
  return { data, host: '127.0.0.1', port: given.daemonPort, tls: tlsFiles(data), engine: given.engine, forges }
}

export function webConfig(given: ServerFlags, forges: readonly Forge[], daemonUrl: string): WebConfig {
  const data = absolute(join(given.data, 'web'))
  const oauth = Object.fromEntries(
    forges.flatMap((forge) => (env.oauth(forge.host) ? [[forge.host, env.oauth(forge.host)]] : [])),
  )
  return {
    data,
    host: given.host,
    port: given.port,
    publicUrl: given.publicUrl,
    daemon: { url: daemonUrl, tls: tlsFiles(data) },
    forges,
    oauth,
    deployers: given.deployer,
    networks: given.privateNetwork ?? [],
    ui: join(import.meta.dirname, '../../web/dist/ui'),
  } as WebConfig
}

/** The process engine gives strangers' code the whole account: not on an address that strangers reach. */
export function refuseUntrusted(given: ServerFlags): void {
  const local = ['127.0.0.1', '::1', 'localhost'].includes(given.host)
  if (given.engine !== 'process' || local || given.trustDemos) return
  throw new Failure(
    `the process engine isolates nothing, and ${given.host} is not loopback: use --engine docker, or --trust-demos when all code is your own`,
  )
}

const tlsFiles = (data: string) => ({
  ca: join(data, 'tls/ca.pem'),
  cert: join(data, 'tls/cert.pem'),
  key: join(data, 'tls/key.pem'),
})

const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(path))

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure(`--forges: ${file} is not JSON: ${cause instanceof Error ? cause.message : cause}`)
  }
}
