import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateFolder, readPrivate } from '@origami/host/private-files'
import { replaceTls, type TlsPaths } from '@origami/host/tls-files'
import { defaultLimits } from '../config.ts'
import type { Authority, Subject } from './authority.ts'

export interface CertificateOptions {
  readonly days?: number
  /** The present time in milliseconds since 1970. */
  readonly clock?: () => number
}

const loopback = ['localhost', '127.0.0.1', '::1']

/**
 * Makes the certificates by which web server and daemon authenticate each other, in a data folder: the authority in
 * `web/authority`, the web server's in `web/tls`, those of a daemon on the same host in `daemon/tls`, each as ca.pem,
 * cert.pem and key.pem. Keys have mode 0600. Existing ones are kept until a third of their life is left.
 */
export async function ensureCertificates(data: string, options: CertificateOptions = {}): Promise<void> {
  const key = join(authorityFolder(data), 'key.pem')
  // Who could read it could sign certificates, so it is looked at though nothing may be to be signed.
  if (existsSync(key)) await readPrivate(key)
  const wanted = [
    { folder: join(data, 'web/tls'), subject: webSubject(options.days) },
    { folder: join(data, 'daemon/tls'), subject: daemonSubject(loopback, options.days) },
  ]
  for (const { folder, subject } of wanted)
    if (await isMissing(folder, options)) await write(folder, await authorityOf(data, options.clock), subject)
}

/**
 * Writes the files that a daemon on another host needs into a folder to be copied there. The certificate names the host
 * names and addresses at which the daemon is reached.
 */
export async function writeDaemonCertificates(
  data: string,
  names: readonly string[],
  folder: string,
  { days, clock }: CertificateOptions = {},
): Promise<void> {
  const authority = await authorityOf(data, clock)
  await write(folder, authority, daemonSubject(names, days))
}

const authorityFolder = (data: string): string => join(data, 'web/authority')

/** The library that it needs takes 20 MB, so it is loaded only to make certificates. */
async function authorityOf(data: string, clock?: () => number): Promise<Authority> {
  const { Authority } = await import('./authority.ts')
  return Authority.open(authorityFolder(data), clock)
}

export const webSubject = (days = defaultLimits.certificateDays): Subject => ({
  name: 'origami web',
  names: loopback,
  role: 'client',
  days,
})

export const daemonSubject = (names: readonly string[], days = defaultLimits.certificateDays): Subject => ({
  name: 'origami daemon',
  names,
  role: 'server',
  days,
})

/** Whether less than a third of its life is left. */
export function isDue({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()]
  return to - now < (to - from) / 3
}

/** The names and addresses in a certificate. */
export function certificateNames({ subjectAltName = '' }: Pick<X509Certificate, 'subjectAltName'>): string[] {
  return [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].map(([, name = '']) => name)
}

async function isMissing(folder: string, { clock = Date.now }: CertificateOptions): Promise<boolean> {
  const cert = join(folder, 'cert.pem')
  return !existsSync(cert) || isDue(new X509Certificate(await readFile(cert)), clock())
}

async function write(folder: string, authority: Authority, subject: Subject): Promise<void> {
  await makePrivateFolder(folder)
  const paths: TlsPaths = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  await writeFile(paths.ca, authority.certificate, { mode: 0o600 })
  await replaceTls(paths, await authority.issue(subject))
}
