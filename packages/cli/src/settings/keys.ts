import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ForgeEntry } from '@origami/protocol/control'
import { env } from '../env.ts'
import {
  addressOrNetwork,
  choice,
  count,
  forges,
  type Kind,
  list,
  network,
  origin,
  path,
  text,
  yesNo,
} from './kinds.ts'

/** One setting that is not a limit. Its name is its path in `origami.yaml`, with dots. */
export interface Key<Value> {
  readonly kind: Kind<NonNullable<Value>>
  readonly default: Value
  readonly meaning: string
  /** The flag that sets it, in commander's notation. */
  readonly flag: string
  /** Whether SIGHUP changes it in a running server. Other settings need a restart. */
  readonly live?: boolean
  /** The only verb that has the flag, when other verbs use a flag of that name for something else. */
  readonly flagOf?: string
}

const key = <Value>(
  flag: string,
  kind: Kind<NonNullable<Value>>,
  standard: Value,
  meaning: string,
  more: Pick<Key<Value>, 'live' | 'flagOf'> = {},
): Key<Value> => ({ kind, default: standard, meaning, flag, ...more })

/** The folder in which `origami quickstart` keeps its state, inside the usual data folder. */
export const quickstartData = (data: string): string => join(data, 'quickstart')

const port = count({ from: 0, to: 65_535 })
const hostName = text('the name of a host, such as demos.example.org', /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)
const handle = text('forge/login, such as github.com/ann', /^([a-z0-9.-]+(:\d+)?\/)?[A-Za-z0-9][\w.-]*$/)

/** All settings except the limits. */
export const keys = {
  data: key('--data <folder>', path, join(env.home ?? homedir(), '.origami'), 'where state lives'),
  host: key('--host <address>', text('an address'), '127.0.0.1', 'address the web server listens on'),
  port: key('--port <port>', port, 8000, 'port of the web server'),
  daemon_port: key('--daemon-port <port>', port, 6001, 'port of the daemon'),
  engine: key<'docker' | 'process'>('--engine <engine>', choice('docker', 'process'), 'docker', 'where demos run'),
  public_url: key<string | undefined>(
    '--public-url <url>',
    origin('http:', 'https:'),
    undefined,
    'address people use, when another server stands in front',
  ),
  forges: key<string | readonly ForgeEntry[] | undefined>(
    '--forges <file>',
    forges,
    undefined,
    'where repositories may come from (github.com when not set)',
  ),
  deployers: key<readonly string[]>(
    '--deployer <forge/login>',
    list(handle),
    [],
    'who is added to those who may deploy; taking a line out takes nobody out (`origami deployers remove` does)',
  ),
  private_networks: key<readonly string[]>(
    '--private-network <cidr>',
    list(network),
    [],
    'where demos that run elsewhere may be, besides public addresses',
  ),
  allowed_hosts: key<readonly string[]>(
    '--allowed-host <name>',
    list(hostName),
    [],
    'names under which people call this server, besides that of `public_url`, its own and addresses',
  ),
  trusted_proxies: key<readonly string[]>(
    '--trusted-proxy <cidr>',
    list(addressOrNetwork),
    [],
    'whose X-Forwarded-* is believed',
    { live: true },
  ),
  proxy_hops: key(
    '--proxy-hops <n>',
    count(),
    1,
    'how many of them stand one behind the other: of X-Forwarded-For so many addresses are read, from the right',
    { live: true },
  ),
  trust_demos: key(
    '--trust-demos',
    yesNo,
    false,
    'lets the process engine, which isolates nothing, run where strangers can deploy',
  ),
  isolation: key<string | undefined>(
    '--isolation <runtime>',
    text('the name of a runtime, such as runsc', /^[A-Za-z0-9][\w.-]{0,60}$/),
    undefined,
    'the OCI runtime of demos, by the name that Docker knows it by (its default when not set)',
  ),
  unisolated: key(
    '--unisolated',
    yesNo,
    false,
    "lets demos of strangers run where no rules of a firewall keep them from the host's network",
  ),
  'daemon.host': key('--host <address>', text('an address'), '127.0.0.1', 'address the daemon listens on', {
    flagOf: 'daemon',
  }),
  'daemon.url': key(
    '--daemon <url>',
    origin('https:'),
    'https://127.0.0.1:6001',
    'where the web server finds the daemon',
    { flagOf: 'web' },
  ),
  'daemon.certificates': key<string | undefined>(
    '--certificates <folder>',
    path,
    undefined,
    "the daemon's certificates, from `origami certificates` (`daemon/tls` under the data when not set)",
  ),
}

export type KeyName = keyof typeof keys
export type Values = { [Name in KeyName]: (typeof keys)[Name]['default'] }

/** The default of a setting, as a person would write it. Undefined: there is none. */
export function standardOf<Name extends KeyName>(name: Name, defaults: Partial<Values> = {}): string | undefined {
  const each: { readonly [Each in KeyName]: Key<Values[Each]> } = keys
  const { kind, default: standard } = each[name]
  const value: Values[Name] | undefined = defaults[name] ?? standard
  return value === undefined || value === null ? undefined : kind.write(value)
}
