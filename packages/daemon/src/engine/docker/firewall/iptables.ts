import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Family } from './rules.ts'

const programs = { ipv4: 'iptables', ipv6: 'ip6tables' } as const satisfies Record<Family, string>
/** A fixed PATH, since these run as root. */
const env = { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' }
/** Others may hold the lock of the tables for a while. */
const [lockSeconds, mostMs] = ['10', 20_000]

/** A host without IPv6 needs no rules for it. */
export const families = (): readonly Family[] => (existsSync('/proc/net/if_inet6') ? ['ipv4', 'ipv6'] : ['ipv4'])

/** All chains and rules of the table of filters, as `iptables -S` prints them. */
export const presentRules = (family: Family): Promise<string> => run(programs[family], ['-w', lockSeconds, '-S'])

/** Changes the table in one transaction. */
export async function changeRules(family: Family, script: string): Promise<void> {
  await run(`${programs[family]}-restore`, ['-w', lockSeconds, '--noflush'], script)
}

/** Throws Error with what the program printed. */
function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env, timeout: mostMs, maxBuffer: 64 * 1024 ** 2 }
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command}: ${reasonOf(error, stderr)}`, { cause: error }))
      else resolve(stdout)
    })
    // A program that ends before it read all is an error of its own, by its code.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

function reasonOf(error: Error & { code?: unknown }, stderr: string): string {
  if (error.code === 'ENOENT') return 'it is not on this host'
  return stderr.trim().split('\n').at(-1) || error.message
}
