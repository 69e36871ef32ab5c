import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { Failure } from '../failure.ts'
import { settingFlags } from '../settings/flags.ts'

const flags = settingFlags(['data'])

export const certificatesVerb = () =>
  flags
    .addTo(new Command('certificates').description('write what a daemon on another host needs, to be copied there'))
    .requiredOption(
      '--daemon <host>',
      'a name or address by which this host reaches the daemon; may be given again',
      hosts,
    )
    .option('--out <folder>', 'where to (origami-daemon-<host> when not set)')
    .action(async ({ daemon, out }: { daemon: string[]; out?: string }, command: Command) => {
      const { values, limits } = await flags.read(command)
      const [host = ''] = daemon
      const folder = resolve(out ?? `origami-daemon-${host.replaceAll(':', '-')}`)
      if (existsSync(folder)) throw new Failure(`${folder} is there already; --out names another folder`)
      const { writeDaemonCertificates } = await import('@origami/web')
      await writeDaemonCertificates(values.data, daemon, folder, { days: limits.web.certificateDays })
      console.log(nextSteps(folder, host, values.data))
    })

function hosts(written: string, before: readonly string[] = []): string[] {
  const isName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(
    written,
  )
  if (!isName && isIP(written) === 0)
    throw new Failure(
      `--daemon: expected a host name or an address, such as gpu.example.org or 10.0.0.2, got ${written}`,
    )
  return [...before, written]
}

function nextSteps(folder: string, host: string, data: string): string {
  const address = isIP(host) === 6 ? `[${host}]` : host
  return [
    `Wrote ca.pem, cert.pem and key.pem to ${folder}. The key is a secret: copy the folder, then remove it here.`,
    '',
    `  scp -pr ${folder} ${address}:origami-certificates`,
    `  on ${host}:  origami daemon --host ${isIP(host) ? host : '0.0.0.0'} --certificates ~/origami-certificates`,
    `  here:  origami web --daemon https://${address}:6001 --data ${join(data)}`,
    '',
    'They renew themselves while the two are connected.',
  ].join('\n')
}
