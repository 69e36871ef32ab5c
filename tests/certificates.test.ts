import { X509Certificate } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { pathToFileURL } from 'node:url'
import { type Daemon, startDaemon } from '@origami/daemon'
import { readEvents } from '@origami/host/read-events'
import { readTls, replaceTls } from '@origami/host/tls-files'
import { ensureCertificates, startWeb, type WebConfig, writeDaemonCertificates } from '@origami/web'
import { defaultLimits } from '@origami/web/config'
import { execa } from 'execa'
import { Agent, request } from 'undici'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Authority } from '../packages/web/src/server/certificates/authority.ts'
import { DaemonClient } from '../packages/web/src/server/daemon-client.ts'

const main = join(import.meta.dirname, '../packages/cli/src/main.ts')
const origami = (...args: string[]) => execa(process.execPath, [main, ...args], { reject: false })
const day = 86_400_000
const longAgo = { clock: () => Date.now() - 70 * day }
const pem = (folder: string) => ({
  ca: join(folder, 'ca.pem'),
  cert: join(folder, 'cert.pem'),
  key: join(folder, 'key.pem'),
})
const readCertificate = async (folder: string) => new X509Certificate(await readFile(join(folder, 'cert.pem')))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-certificates-'))
})
afterEach(() => rm(folder, { recursive: true }))

const daemonConfig = (certificates: string) => ({
  data: join(folder, 'daemon'),
  host: '127.0.0.1',
  port: 0,
  tls: pem(certificates),
  engine: 'process' as const,
  environment: process.env,
  forges: [{ host: 'folder.test', kind: 'folder' as const, git: pathToFileURL(join(folder, 'forge')).href }],
})

const webConfig = (url: string): WebConfig => ({
  data: join(folder, 'web'),
  host: '127.0.0.1',
  port: 0,
  daemon: { url, tls: pem(join(folder, 'web/tls')) },
  forges: [],
  deployers: [],
  ui: join(import.meta.dirname, '../packages/web/dist/ui'),
})

/** What a program with these certificates gets from the daemon's /health; an error's code when it gets nothing. */
async function health(url: string, certificates?: string): Promise<number | string> {
  const tls = certificates ? await readTls(pem(certificates)) : { rejectUnauthorized: false }
  const agent = new Agent({ connect: tls })
  try {
    const { statusCode, body } = await request(`${url}/health`, { dispatcher: agent })
    await body.dump()
    return statusCode
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  } finally {
    await agent.destroy()
  }
}

describe('origami certificates', () => {
  test('writes what a daemon elsewhere needs: its names and addresses, 90 days, a key for its owner alone', async () => {
    const out = join(folder, 'for-gpu')
    const names = ['--daemon', 'gpu.example.org', '--daemon', '10.0.0.2', '--daemon', 'fd00::2']
    const { exitCode, stdout } = await origami('certificates', ...names, '--data', folder, '--out', out)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('origami web --daemon https://gpu.example.org:6001')
    const certificate = await readCertificate(out)
    expect(certificate.checkHost('gpu.example.org')).toBe('gpu.example.org')
    expect(certificate.checkIP('10.0.0.2')).toBe('10.0.0.2')
    expect(certificate.checkIP('fd00::2')).toBe('fd00::2')
    expect(certificate.checkHost('localhost')).toBeUndefined()
    expect(Math.round((certificate.validToDate.getTime() - Date.now()) / day)).toBe(90)
    for (const name of ['ca.pem', 'cert.pem', 'key.pem']) expect((await stat(join(out, name))).mode & 0o777).toBe(0o600)
    expect((await readFile(join(out, 'ca.pem'), 'utf8')).trim()).toBe(
      (await readFile(join(folder, 'web/authority/cert.pem'), 'utf8')).trim(),
    )

    const twice = await origami('certificates', ...names, '--data', folder, '--out', out)
    expect([twice.exitCode, twice.stderr]).toEqual([1, `${out} is there already; --out names another folder`])
    expect((await readCertificate(out)).serialNumber).toBe(certificate.serialNumber)
  })

  test.each(['https://gpu.example.org', '', 'a b', '-x.org'])('--daemon %j is refused with words', async (host) => {
    const { exitCode, stderr } = await origami('certificates', `--daemon=${host}`, '--data', folder)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('expected a host name or an address, such as gpu.example.org or 10.0.0.2')
  })

  test('an authority whose key others can read signs nothing', async () => {
    await ensureCertificates(folder)
    await chmod(join(folder, 'web/authority/key.pem'), 0o644)
    const out = join(folder, 'out')
    const { exitCode, stderr } = await origami(
      'certificates',
      '--daemon',
      'gpu.example.org',
      '--data',
      folder,
      '--out',
      out,
    )
    expect(exitCode).toBe(1)
    expect(stderr).toContain('can be read by others (mode 644); chmod 600 it')
    await expect(stat(out)).rejects.toThrow('ENOENT')
  })
})

describe('origami daemon', () => {
  test('alone in a fresh folder says what to do', async () => {
    const { exitCode, stderr } = await origami('daemon', '--data', join(folder, 'fresh'), '--engine', 'process')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('The daemon has no certificate')
    expect(stderr).toContain('origami certificates --daemon <this host>')
    expect(stderr).not.toContain('ENOENT')
  })

  test('listens where others reach it only under a certificate that names this host for them', async () => {
    await ensureCertificates(folder)
    const trusted = ['--engine', 'process', '--trust-demos']
    const { exitCode, stderr } = await origami('daemon', '--data', folder, ...trusted, '--host', '0.0.0.0')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('has no name by which another host reaches this one, so nothing should listen at 0.0.0.0')
  })
})

describe('between web server and daemon', () => {
  test('plain HTTP, no certificate, a foreign authority, a certificate of another name: no answer', async () => {
    await ensureCertificates(folder)
    const foreign = join(folder, 'foreign')
    await ensureCertificates(foreign)
    await writeDaemonCertificates(folder, ['127.0.0.1'], join(folder, 'named'))
    await writeDaemonCertificates(folder, ['gpu.example.org'], join(folder, 'of-another-name'))
    await using daemon = await startDaemon(daemonConfig(join(folder, 'named')))
    expect(await health(daemon.url, join(folder, 'web/tls'))).toBe(200)
    expect(await health(daemon.url.replace('https:', 'http:'))).toMatch(/ECONNRESET|UND_ERR_SOCKET|HPE_/)
    expect(await health(daemon.url)).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET|UND_ERR_SOCKET/)
    expect(await health(daemon.url, join(foreign, 'web/tls'))).toMatch(/SELF_SIGNED|UNABLE_TO|CERT/)
    // The certificate of a daemon is not accepted as one of a web server.
    expect(await health(daemon.url, join(folder, 'named'))).toMatch(/CERTIFICATE|ECONNRESET|UND_ERR_SOCKET|UNSUPPORTED/)

    await daemon[Symbol.asyncDispose]()
    await using other = await startDaemon(daemonConfig(join(folder, 'of-another-name')))
    expect(await health(other.url, join(folder, 'web/tls'))).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('the web server tells nothing to a daemon over plain HTTP', async () => {
    await ensureCertificates(folder)
    const url = 'http://127.0.0.1:6001'
    await expect(DaemonClient.open({ url, tls: pem(join(folder, 'web/tls')) }, defaultLimits)).rejects.toThrow(
      'https://',
    )
    const { exitCode, stderr } = await origami('web', '--data', folder, '--daemon', url)
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('--daemon: expected an address such as https://')])
  })

  test('certificates renew themselves over the connection, before a third of their life is left; what is open goes on', async () => {
    await ensureCertificates(folder, longAgo)
    const certificates = join(folder, 'named')
    await writeDaemonCertificates(folder, ['127.0.0.1', 'gpu.example.org'], certificates, longAgo)
    const [webs, daemons] = [await readCertificate(join(folder, 'web/tls')), await readCertificate(certificates)]
    await using daemon = await startDaemon(daemonConfig(certificates))
    const agent = new Agent({ connect: await readTls(pem(join(folder, 'web/tls'))), bodyTimeout: 0 })
    const { body } = await request(`${daemon.url}/events?after=0`, { dispatcher: agent })
    const events = readEvents(body)[Symbol.asyncIterator]()
    expect(await shownBy(daemon)).toBe(daemons.serialNumber)

    await using _web = await startWeb(webConfig(daemon.url), { oauth: {} })
    await vi.waitFor(async () => expect(await shownBy(daemon)).not.toBe(daemons.serialNumber))
    const renewed = await readCertificate(certificates)
    expect(await shownBy(daemon)).toBe(renewed.serialNumber)
    expect(renewed.subjectAltName).toBe(daemons.subjectAltName)
    expect(Math.round((renewed.validToDate.getTime() - Date.now()) / day)).toBe(90)
    expect(renewed.publicKey.equals(daemons.publicKey)).toBe(false)
    expect((await stat(join(certificates, 'key.pem'))).mode & 0o777).toBe(0o600)
    expect((await readCertificate(join(folder, 'web/tls'))).serialNumber).not.toBe(webs.serialNumber)
    expect(await health(daemon.url, join(folder, 'web/tls'))).toBe(200)

    const link = 'https://folder.test/ann/nothing'
    const trigger = { user_access_token: null, user_id: 'ann', remote_repo_link: link }
    const sent = await request(`${daemon.url}/deploy_trigger`, {
      method: 'POST',
      dispatcher: agent,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(trigger),
    })
    expect(sent.statusCode).toBe(202)
    expect(JSON.parse((await events.next()).value.data)).toMatchObject({ seq: 1 })
    await Promise.all([sent.body.dump(), agent.destroy()])
  })

  test('a certificate that nobody asked for, of a foreign authority, or of fewer names is not taken', async () => {
    await ensureCertificates(folder)
    await writeDaemonCertificates(folder, ['127.0.0.1', 'gpu.example.org'], join(folder, 'named'))
    await using daemon = await startDaemon(daemonConfig(join(folder, 'named')))
    const before = await shownBy(daemon)
    const agent = new Agent({ connect: await readTls(pem(join(folder, 'web/tls'))) })
    const ask = async (method: 'POST' | 'PUT', path: string, body: object) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await request(daemon.url + path, {
        method,
        dispatcher: agent,
        headers,
        body: JSON.stringify(body),
      })
      return { status: answer.statusCode, body: (await answer.body.json()) as { request: string; error: string } }
    }
    const put = async (certificate: string) => (await ask('PUT', '/certificate', { certificate })).body.error
    const [ours, foreign] = [
      await Authority.open(join(folder, 'web/authority')),
      await Authority.open(join(folder, 'foreign-authority')),
    ]
    const subject = {
      name: 'origami daemon',
      names: ['127.0.0.1', 'gpu.example.org'],
      role: 'server' as const,
      days: 90,
    }
    expect(await put('nonsense')).toContain('expected a certificate in PEM')
    expect(await put((await ours.issue(subject)).cert)).toContain(
      'expected the certificate of the key that was requested last',
    )
    const { request: wanted } = (await ask('POST', '/certificate/request', {})).body
    expect(await put(await foreign.sign(wanted, subject))).toContain('expected a certificate of the authority')
    expect(await put(await ours.sign(wanted, { ...subject, names: ['127.0.0.1'] }))).toContain(
      'expected a certificate for 127.0.0.1',
    )
    expect(await shownBy(daemon)).toBe(before)
    expect((await ask('PUT', '/certificate', { certificate: await ours.sign(wanted, subject) })).status).toBe(200)
    expect(await shownBy(daemon)).not.toBe(before)
    await agent.destroy()
  })

  test('the certificate of a daemon that was away is made anew at the start of its web server on the same host', async () => {
    await ensureCertificates(folder, { clock: () => Date.now() - 100 * day })
    await ensureCertificates(folder)
    expect((await readCertificate(join(folder, 'daemon/tls'))).validToDate.getTime()).toBeGreaterThan(Date.now())
  })
})

describe('a certificate and its key are replaced whole', () => {
  test.each([
    ['before the key was moved', { key: 'old', cert: 'old', nextKey: 'new', nextCert: 'new' }, 'old'],
    ['between key and certificate', { key: 'new', cert: 'old', nextKey: undefined, nextCert: 'new' }, 'new'],
    ['while the certificate was written', { key: 'old', cert: 'old', nextKey: 'new', nextCert: 'half' }, 'old'],
    ['while the key was written', { key: 'old', cert: 'old', nextKey: 'half', nextCert: undefined }, 'old'],
  ] as const)('a crash %s leaves a pair that fits', async (_when, state, expected) => {
    const authority = await Authority.open(join(folder, 'authority'))
    const subject = { name: 'x', names: ['localhost'], role: 'server' as const, days: 1 }
    const pairs = {
      old: await authority.issue(subject),
      new: await authority.issue(subject),
      half: { cert: '-----BEG', key: '-----BEG' },
    }
    const paths = pem(folder)
    await replaceTls(paths, pairs.old)
    await writeFile(paths.ca, authority.certificate)
    await writeFile(paths.key, pairs[state.key].key)
    await writeFile(paths.cert, pairs[state.cert].cert)
    if (state.nextKey) await writeFile(`${paths.key}.next`, pairs[state.nextKey].key, { mode: 0o600 })
    if (state.nextCert) await writeFile(`${paths.cert}.next`, pairs[state.nextCert].cert, { mode: 0o600 })
    const { cert, key } = await readTls(paths)
    expect(cert.toString()).toBe(pairs[expected].cert)
    expect(key.toString()).toBe(pairs[expected].key)
  })
})

/** The serial number of the certificate that the daemon shows to a new connection. */
async function shownBy({ port }: Daemon): Promise<string> {
  const tls = await readTls(pem(join(folder, 'web/tls')))
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ...tls })
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}
